import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { canonicalJson } from '../../canonical-json.ts'
import { packBundle } from '../../compute/bundle.ts'
import { PaveError } from '../../errors.ts'
import type { ContentRef } from '../../names.ts'
import type { Client } from '../client.ts'
import { type ContentSource, contentSourceOf, type Manifest, manifestError } from './read-manifests.ts'

export interface Change {
  manifest: Manifest
  action: 'create' | 'update' | 'unchanged'
  /** Fields that differ, as JSON paths with their old and new values. */
  differences: Difference[]
  /** The operation's whole input, with content by digest. */
  input: Record<string, unknown>
  etag: string | undefined
  /** Content to upload before it is applied. */
  uploads: Content[]
}

export interface Difference {
  path: string
  before: unknown
  after: unknown
}

interface Content {
  ref: ContentRef
  open(): Readable
}

/** Compares each manifest with what the server has; changes nothing. */
export async function planManifests(client: Client, manifests: readonly Manifest[]): Promise<Change[]> {
  const changes: Change[] = []
  for (const manifest of manifests) {
    const uploads: Content[] = []
    const spec = await withContent(manifest.spec, manifest, uploads)
    const parsed = manifest.kind.put.input.parse({ ...manifest.metadata, spec })
    const input = new Map<string, unknown>(Object.entries(Object(parsed)))
    const current = await currentSpec(client, manifest)
    const differences = current === undefined ? [] : compare('', current.spec, input.get('spec'))
    changes.push({
      manifest,
      action: current === undefined ? 'create' : differences.length > 0 ? 'update' : 'unchanged',
      differences,
      input: { ...manifest.metadata, spec },
      etag: current?.etag,
      uploads,
    })
  }
  return changes
}

/** Puts what differs, in dependency order; an update fails when the resource changed since it was compared. */
export async function applyChanges(
  client: Client,
  changes: readonly Change[],
  onApplied: (change: Change) => void,
): Promise<void> {
  for (const change of changes) {
    if (change.action !== 'unchanged') {
      for (const content of change.uploads) await upload(client, content)
      await client.call(
        change.manifest.kind.put,
        change.input,
        change.etag !== undefined && change.action === 'update' ? { ifMatch: change.etag } : {},
      )
    }
    onApplied(change)
  }
}

async function currentSpec(client: Client, manifest: Manifest) {
  try {
    const { output, etag } = await client.request(manifest.kind.read, manifest.metadata)
    const spec = new Map<string, unknown>(Object.entries(Object(output))).get('spec')
    return { spec, etag }
  } catch (error) {
    if (error instanceof PaveError && error.status === 404) return undefined
    throw error
  }
}

/** Replaces each content source by the reference to its bytes, and notes what may have to be uploaded. */
async function withContent(value: unknown, manifest: Manifest, uploads: Content[]): Promise<unknown> {
  const source = contentSourceOf(value)
  if (source !== undefined) {
    const content = await contentOf(source, manifest)
    uploads.push(content)
    return content.ref
  }
  if (Array.isArray(value)) return Promise.all(value.map((member) => withContent(member, manifest, uploads)))
  if (typeof value !== 'object' || value === null) return value
  const members: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) members[name] = await withContent(member, manifest, uploads)
  return members
}

async function contentOf(source: ContentSource, manifest: Manifest): Promise<Content> {
  if (source.from === 'directory') {
    const { bytes, digest } = await packBundle(resolve(manifest.directory, source.path))
    return { ref: { digest, size: bytes.length, name: basename(source.path) }, open: () => Readable.from([bytes]) }
  }
  const path = source.from === 'npm' ? packageFile(source.path, manifest) : resolve(manifest.directory, source.path)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined || !found.isFile()) {
    throw manifestError(`${manifest.place}: there is no file ${path}`, 'Mend the path; it is relative to the manifest.')
  }
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return {
    ref: { digest: `sha256:${hash.digest('hex')}`, size: found.size, name: basename(path) },
    open: () => createReadStream(path),
  }
}

/** `vega-datasets/data/x.parquet`: a file of an installed npm package, found from the manifest's directory. */
function packageFile(path: string, manifest: Manifest): string {
  const parts = path.split('/')
  const name = parts.splice(0, path.startsWith('@') ? 2 : 1).join('/')
  const roots = createRequire(join(manifest.directory, 'manifest')).resolve.paths(name) ?? []
  const root = roots.map((directory) => join(directory, name)).find((directory) => existsSync(directory))
  if (root === undefined) {
    throw manifestError(`${manifest.place}: the npm package ${name} is not installed`, `Run npm install ${name}.`)
  }
  return join(root, ...parts)
}

async function upload(client: Client, content: Content): Promise<void> {
  const known = await client.raw('HEAD', `/api/v1/objects/${content.ref.digest}`).then(
    () => true,
    () => false,
  )
  if (known) return
  await client.raw('POST', '/api/v1/objects', {
    headers: { 'content-type': 'application/octet-stream', 'x-pave-digest': content.ref.digest },
    body: Readable.toWeb(content.open()) as ReadableStream<Uint8Array>,
  })
}

function compare(path: string, before: unknown, after: unknown): Difference[] {
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names.flatMap((name) => compare(path === '' ? name : `${path}.${name}`, before[name], after[name]))
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => compare(`${path}[${index}]`, item, after[index]))
  }
  return canonicalJson(before ?? null) === canonicalJson(after ?? null) ? [] : [{ path, before, after }]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
