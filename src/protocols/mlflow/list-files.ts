import { getVersion } from '#modules/registry/contract.ts'
import { listArtifacts } from '#modules/tracking/contract.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { type Call, cursorOf } from './endpoint.ts'
import type { Location } from './location.ts'
import { modelFile } from './model-file.ts'
import { graphFile, readVersionFiles, writeModelFile } from './version-files.ts'

type PageOfFiles = AnswerOf<typeof listArtifacts>

interface FileInfo {
  path: string
  is_dir: boolean
  file_size?: number
}

/** All that lies directly in a directory, with whole paths. */
export async function listFiles(call: Call, location: Location): Promise<FileInfo[]> {
  if (location.kind === 'version') return versionFiles(call, location)
  // Spans name the attachments of a trace, so no client lists them.
  if (location.kind === 'attachment') return []
  const files: FileInfo[] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor }: PageOfFiles = await pageOfFiles(call, location, cursor)
    files.push(
      ...items.map(({ path, directory, size }) => ({
        path,
        is_dir: directory,
        ...(!directory && { file_size: size }),
      })),
    )
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return files
}

function pageOfFiles(call: Call, { owner, path }: Location & { kind: 'artifact' }, cursor: string | undefined) {
  return call.run(listArtifacts, { owner, limit: 1000, ...(path !== '' && { path }), ...cursorOf(cursor) })
}

async function versionFiles(call: Call, { version: ref, path }: Location & { kind: 'version' }): Promise<FileInfo[]> {
  const version = await call.run(getVersion, { version: ref })
  if (version.files !== null) return childrenOf(await readVersionFiles(call, version), path)
  if (path !== '' || version.artifact === null) return []
  const graph = await call.platform.services.objects.stat(version.artifact)
  return [
    { path: modelFile, is_dir: false, file_size: Buffer.byteLength(writeModelFile(version)) },
    { path: graphFile, is_dir: false, file_size: graph?.size ?? 0 },
  ]
}

function childrenOf(files: readonly { path: string; size: number }[], directory: string): FileInfo[] {
  const prefix = directory === '' ? '' : `${directory}/`
  const children = new Map<string, FileInfo>()
  for (const { path, size } of files) {
    if (!path.startsWith(prefix)) continue
    const end = path.indexOf('/', prefix.length)
    const child = end < 0 ? path : path.slice(0, end)
    children.set(child, end < 0 ? { path: child, is_dir: false, file_size: size } : { path: child, is_dir: true })
  }
  return [...children.values()]
}
