import { z } from 'zod'
import { type Operation, pathParameters } from '../../operation.ts'

/** One kind of manifest, read off the PUT operation that declares it. */
export interface Kind {
  kind: string
  put: Operation
  read: Operation
  after: readonly string[]
  /** Path parameters: the last is `metadata.name`, the others are `metadata` fields under their own names. */
  parameters: string[]
}

export const apiVersion = 'pave/v1'

/** All kinds that the operations declare, in an order in which each comes after what it needs. */
export function kindsOf(operations: readonly Operation[]): Kind[] {
  const byName = new Map(operations.map((operation) => [operation.name, operation]))
  const kinds = operations.flatMap((put): Kind[] => {
    if (put.manifest === undefined) return []
    const read = byName.get(put.manifest.read)
    if (read === undefined) throw new TypeError(`${put.name} reads through ${put.manifest.read}, which is not declared`)
    return [
      { kind: put.manifest.kind, put, read, after: put.manifest.after ?? [], parameters: pathParameters(put.path) },
    ]
  })
  return inDependencyOrder(kinds)
}

function inDependencyOrder(kinds: readonly Kind[]): Kind[] {
  const ordered: Kind[] = []
  const visit = (kind: Kind, trail: string[]): void => {
    if (ordered.includes(kind)) return
    if (trail.includes(kind.kind)) throw new TypeError(`Kinds need each other: ${[...trail, kind.kind].join(' → ')}`)
    for (const name of kind.after) {
      const needed = kinds.find((one) => one.kind === name)
      if (needed !== undefined) visit(needed, [...trail, kind.kind])
    }
    ordered.push(kind)
  }
  for (const kind of kinds) visit(kind, [])
  return ordered
}

/** JSON Schema of a kind's YAML, for editors: bytes may be named by file, directory or npm package. */
export function manifestSchema({ kind, put, parameters }: Kind): Record<string, unknown> {
  const input = z.toJSONSchema(put.input, { io: 'input', unrepresentable: 'any' })
  const properties = input.properties ?? {}
  const metadata = Object.fromEntries(
    parameters.map((name, index) => [index === parameters.length - 1 ? 'name' : name, properties[name] ?? {}]),
  )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${kind}.json`,
    title: kind,
    description: put.summary,
    type: 'object',
    additionalProperties: false,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { const: apiVersion },
      kind: { const: kind },
      metadata: { type: 'object', additionalProperties: false, required: Object.keys(metadata), properties: metadata },
      spec: allowContentSources(properties.spec ?? {}),
    },
    ...(input.$defs !== undefined && { $defs: input.$defs }),
  }
}

const contentSource = {
  oneOf: ['file', 'directory', 'npm'].map((source) => ({
    type: 'object',
    additionalProperties: false,
    required: [source],
    properties: { [source]: { type: 'string' } },
  })),
}

/** Where the schema wants stored content, people write where the bytes are now. */
function allowContentSources(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(allowContentSources)
  if (typeof schema !== 'object' || schema === null) return schema
  const node = new Map<string, unknown>(Object.entries(schema))
  const properties = node.get('properties')
  if (isContentSchema(properties)) return { anyOf: [schema, ...contentSource.oneOf] }
  return Object.fromEntries([...node].map(([name, value]) => [name, allowContentSources(value)]))
}

function isContentSchema(properties: unknown): boolean {
  return (
    typeof properties === 'object' &&
    properties !== null &&
    'digest' in properties &&
    'size' in properties &&
    Object.keys(properties).every((name) => ['digest', 'size', 'name'].includes(name))
  )
}
