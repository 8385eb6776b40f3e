import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { listArtifacts } from '#modules/tracking/contract.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { uuidOf } from '../import/copied.ts'
import type { ArtifactRoot, MlflowSource } from '../import/mlflow-source.ts'

interface Artifacts {
  source: MlflowSource
  client: Client
  folder: string
  root: ArtifactRoot
}

/** Copies all files below a root to where a server with this folder as its --artifacts-destination looks for them. */
export async function copyArtifacts(artifacts: Artifacts) {
  const { source, folder, root } = artifacts
  const copied = { files: 0, bytes: 0, unchanged: 0 }
  const place = resolve(folder, root.root.replace(/^mlflow-artifacts:\/+/, ''))
  for await (const { path, size, digest } of filesOf(artifacts)) {
    const target = resolve(place, path)
    if (!target.startsWith(`${resolve(folder)}${sep}`)) {
      throw clientFailure('unexpected_answer', `${path} of ${root.root} would be outside of ${folder}`)
    }
    if (await writeFileOnce(target, { size, digest }, () => source.open(root, path))) {
      copied.files++
      copied.bytes += size
    } else copied.unchanged++
  }
  return copied
}

interface Content {
  size: number
  digest: string | null
}

/** Answers false when it is there already. */
export async function writeFileOnce(
  path: string,
  { size, digest }: Content,
  bytes: () => Promise<ReadableStream<Uint8Array>>,
): Promise<boolean> {
  if (digest !== null && (await hasContent(path, size, digest))) return false
  await write(path, await bytes())
  return true
}

async function* filesOf({ source, client, root }: Artifacts) {
  if (root.kind === 'version') {
    for await (const file of source.artifacts(root)) yield { ...file, digest: null }
    return
  }
  const owner = root.kind === 'run' ? uuidOf(root.id) : root.id
  for (let cursor: string | undefined; ; ) {
    const page = await client.call(listArtifacts, {
      owner,
      recursive: true,
      limit: 1000,
      ...(cursor !== undefined && { cursor }),
    })
    yield* page.items
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}

async function hasContent(path: string, size: number, digest: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true || found.size !== size) return false
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return digest.endsWith(hash.digest('hex'))
}

/** A file has its name when it is whole. */
async function write(path: string, bytes: ReadableStream<Uint8Array>): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const partial = join(dirname(path), `.partial-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`)
  const handle = await open(partial, 'w')
  try {
    for await (const chunk of bytes) await handle.write(chunk)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(partial, path)
}
