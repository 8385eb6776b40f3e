import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { type Document, isMap, isNode, LineCounter, type Node, parseAllDocuments } from 'yaml'
import type { PaveError } from '../../errors.ts'
import { clientFailure } from '../client-errors.ts'
import { apiVersion, type Kind } from './kinds.ts'

/** One resource as written: its place in the file, for errors, and what it asks for. */
export interface Manifest {
  kind: Kind
  name: string
  /** The operation's input but for content that is still named by path. */
  metadata: Record<string, string>
  spec: unknown
  /** `file:line` */
  place: string
  /** Directory that relative paths in it start from. */
  directory: string
}

/** Reads one YAML file, or every `.yaml` and `.yml` directly in a directory; a file may hold several documents. */
export async function readManifests(path: string, kinds: readonly Kind[]): Promise<Manifest[]> {
  const files = await manifestFiles(resolve(path))
  const manifests: Manifest[] = []
  for (const file of files) manifests.push(...readDocuments(await readFile(file, 'utf8'), file, kinds))
  const seen = new Map<string, string>()
  for (const { kind, metadata, name, place } of manifests) {
    const key = `${kind.kind} ${Object.values(metadata).join('/')}`
    const earlier = seen.get(key)
    if (earlier !== undefined) {
      throw manifestError(
        `${place}: ${kind.kind} ${name} is declared twice, first at ${earlier}`,
        'Keep one of the two.',
      )
    }
    seen.set(key, place)
  }
  const order = new Map(kinds.map((kind, index) => [kind.kind, index]))
  return manifests.sort((a, b) => (order.get(a.kind.kind) ?? 0) - (order.get(b.kind.kind) ?? 0))
}

async function manifestFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined)
    throw manifestError(`There is nothing at ${path}`, 'Name a YAML file or a directory of them.')
  if (!found.isDirectory()) return [path]
  const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name)).sort()
  if (names.length === 0) throw manifestError(`${path} holds no YAML file`, 'Name a directory with manifests.')
  return names.map((name) => join(path, name))
}

function readDocuments(text: string, file: string, kinds: readonly Kind[]): Manifest[] {
  const lines = new LineCounter()
  const shown = relative('.', file) || file
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true })
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document: Document): Manifest[] => {
    const [problem] = document.errors
    if (problem !== undefined) {
      const { line, col } = lines.linePos(problem.pos[0])
      throw manifestError(`${shown}:${line}:${col}: ${problem.message}`, 'Mend the YAML at that line and column.')
    }
    if (document.contents === null) return []
    const at = (node: unknown) => {
      const { line, col } = lines.linePos(isNode(node) && node.range ? node.range[0] : 0)
      return `${shown}:${line}:${col}`
    }
    return [readManifest(document, kinds, at, dirname(file))]
  })
}

function readManifest(
  document: Document,
  kinds: readonly Kind[],
  at: (node: unknown) => string,
  directory: string,
): Manifest {
  const root: Node | null = isNode(document.contents) ? document.contents : null
  if (!isMap(root)) throw manifestError(`${at(root)}: a manifest is a mapping`, `Start with apiVersion: ${apiVersion}`)
  for (const pair of root.items) {
    const key = String(pair.key)
    if (!['apiVersion', 'kind', 'metadata', 'spec'].includes(key)) {
      throw manifestError(
        `${at(pair.key)}: unknown field ${key}`,
        'A manifest has apiVersion, kind, metadata and spec.',
      )
    }
  }
  if (root.get('apiVersion') !== apiVersion) {
    throw manifestError(
      `${at(root.get('apiVersion', true) ?? root)}: apiVersion must be ${apiVersion}`,
      `Write apiVersion: ${apiVersion}`,
    )
  }
  const kindName = String(root.get('kind') ?? '')
  const kind = kinds.find((one) => one.kind === kindName)
  if (kind === undefined) {
    throw manifestError(
      `${at(root.get('kind', true) ?? root)}: unknown kind ${kindName || '(none)'}`,
      `Kinds are ${kinds.map((one) => one.kind).join(', ')}.`,
    )
  }
  const given = valuesOf(document, at(root))
  const metadata = readMetadata(kind, given.metadata, at(root.get('metadata', true) ?? root))
  const place = at(root)
  const checked = kind.put.input.safeParse({ ...metadata, spec: withStandIns(given.spec) })
  if (!checked.success) {
    const problems = checked.error.issues.flatMap((issue) => {
      const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => `${at(keyNode(document, path, key))}: unknown field ${[...path, key].join('.')}`)
      }
      return [`${at(deepest(document, path))}: ${path.join('.')}: ${issue.message}`]
    })
    throw manifestError(
      problems.join('\n'),
      `Mend ${kind.kind} ${Object.values(metadata).join('/')}; its schema is at /schemas/${kind.kind}.json.`,
    )
  }
  return { kind, name: Object.values(metadata).join('/'), metadata, spec: given.spec, place, directory }
}

/** @throws when aliases multiply beyond reason. */
function valuesOf(document: Document, place: string) {
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw manifestError(
      `${place}: ${error instanceof Error ? error.message : String(error)}`,
      'Use fewer YAML aliases.',
    )
  }
}

function readMetadata(kind: Kind, given: unknown, place: string): Record<string, string> {
  const fields = new Map<string, unknown>(Object.entries(given ?? {}))
  const metadata: Record<string, string> = {}
  kind.parameters.forEach((parameter, index) => {
    const field = index === kind.parameters.length - 1 ? 'name' : parameter
    const value = fields.get(field)
    if (typeof value !== 'string') {
      throw manifestError(`${place}: ${kind.kind} needs metadata.${field}`, `Write metadata: {${field}: …}`)
    }
    metadata[parameter] = value
    fields.delete(field)
  })
  const [unknown] = fields.keys()
  if (unknown !== undefined) {
    throw manifestError(
      `${place}: unknown field metadata.${unknown}`,
      `${kind.kind} has metadata ${kind.parameters.map((name, index) => (index === kind.parameters.length - 1 ? 'name' : name)).join(', ')}.`,
    )
  }
  return metadata
}

const noContent = { digest: `sha256:${'0'.repeat(64)}`, size: 0 }

/** Content that is still a path passes the check as if it were stored already. */
function withStandIns(value: unknown): unknown {
  if (contentSourceOf(value) !== undefined) return noContent
  if (Array.isArray(value)) return value.map(withStandIns)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withStandIns(member)]))
}

export type ContentSource = { from: 'file' | 'directory' | 'npm'; path: string }

/** `{file: …}`, `{directory: …}` or `{npm: …}` and nothing else. */
export function contentSourceOf(value: unknown): ContentSource | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const [entry, ...others] = Object.entries(value)
  if (entry === undefined || others.length > 0 || typeof entry[1] !== 'string') return undefined
  const [from, path] = entry
  return from === 'file' || from === 'directory' || from === 'npm' ? { from, path } : undefined
}

/** The node at a path, or the nearest above it that exists. */
function deepest(document: Document, path: readonly (string | number)[]): unknown {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (node !== undefined && node !== null) return node
  }
  return document.contents
}

/** Where a field is written, which is where its key stands. */
function keyNode(document: Document, path: readonly (string | number)[], key: string): unknown {
  const parent = deepest(document, path)
  const pair = isMap(parent) ? parent.items.find((one) => String(one.key) === key) : undefined
  return pair?.key ?? parent
}

export function manifestError(message: string, hint: string): PaveError {
  return clientFailure('manifest_invalid', message, { hint })
}
