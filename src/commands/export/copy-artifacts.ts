import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { listArtifacts } from '#modules/tracking/contract.ts'
import { pagesOf } from '#platform/names.ts'
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
  await write(path, { size, digest }, await bytes())
  return true
}

async function* filesOf({ source, client, root }: Artifacts) {
  if (root.kind === 'version') {
    for await (const file of source.artifacts(root)) yield { ...file, digest: null }
    return
  }
  const owner = root.kind === 'run' ? uuidOf(root.id) : root.id
  const pages = pagesOf((at) => client.call(listArtifacts, { owner, recursive: true, limit: 1000, ...at }))
  for await (const items of pages) yield* items
}

async function hasContent(path: string, size: number, digest: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true || found.size !== size) return false
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return digest.endsWith(hash.digest('hex'))
}

/** A file has its name when it is whole, and what Pave says that it is. */
async function write(path: string, expected: Content, bytes: ReadableStream<Uint8Array>): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const partial = join(dirname(path), `.partial-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`)
  try {
    const written = await writeDurably(partial, bytes)
    const { size, digest } = expected
    if (written.size !== size || (digest !== null && !digest.endsWith(written.sha256))) {
      throw clientFailure(
        'unexpected_answer',
        `${path} came with ${written.size} bytes and sha256 ${written.sha256}, and should have ${size} and ${digest ?? 'any'}`,
      )
    }
    await rename(partial, path)
    await makeDurable(dirname(path))
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

async function writeDurably(path: string, bytes: ReadableStream<Uint8Array>) {
  const hash = createHash('sha256')
  let size = 0
  const handle = await open(path, 'w')
  try {
    for await (const chunk of bytes) {
      // A write may take less than it was given; this one goes on until all is written.
      await handle.writeFile(chunk)
      hash.update(chunk)
      size += chunk.length
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { size, sha256: hash.digest('hex') }
}

/** Of a folder: the names in it. */
export async function makeDurable(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
