import { z } from 'zod'
import { type Operation, pathParameters } from '../operation.ts'

/** OpenAPI 3.1 of the declared operations: JSON Schema is printed from the same zod that decides. */
export function openApi(operations: readonly Operation[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  const schemas: Record<string, unknown> = { Problem: problem }
  for (const operation of operations) {
    const path = operation.path.replaceAll(/:([a-z][A-Za-z]*)/g, '{$1}')
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Pave', version: '1.0.0', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas,
    },
    security: [{ token: [] }],
  }
}

const problem = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  required: ['status', 'code', 'detail', 'hint'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; see docs/reference/errors.md' },
    detail: { type: 'string' },
    hint: { type: 'string' },
    problems: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string' }, message: { type: 'string' } },
      },
    },
    details: { type: 'object' },
  },
}

interface JsonSchema {
  properties?: Record<string, unknown>
  required?: string[]
  [key: string]: unknown
}

/** A zod schema as JSON Schema; what it defines for itself moves to the components, where references find it. */
function schemaOf(
  schema: z.ZodType,
  io: 'input' | 'output',
  name: string,
  schemas: Record<string, unknown>,
): JsonSchema {
  const printed = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' }))
  const moved = printed.replaceAll('"#/$defs/', `"#/components/schemas/${name}.`)
  const { $defs = {}, $schema: _, ...rest }: JsonSchema & { $defs?: Record<string, unknown> } = JSON.parse(moved)
  for (const [key, definition] of Object.entries($defs)) schemas[`${name}.${key}`] = definition
  return rest
}

function describe(operation: Operation, schemas: Record<string, unknown>): Record<string, unknown> {
  const input = schemaOf(operation.input, 'input', `${operation.name}.input`, schemas)
  const inPath = pathParameters(operation.path)
  const rest = Object.fromEntries(Object.entries(input.properties ?? {}).filter(([name]) => !inPath.includes(name)))
  const required = (input.required ?? []).filter((name) => !inPath.includes(name))
  const inQuery = operation.method === 'GET'
  return {
    operationId: operation.name,
    summary: operation.summary,
    parameters: [
      ...inPath.map((name) => ({ name, in: 'path', required: true, schema: input.properties?.[name] ?? {} })),
      ...(inQuery
        ? Object.entries(rest).map(([name, schema]) => ({
            name,
            in: 'query',
            required: required.includes(name),
            schema,
          }))
        : []),
      ...(operation.effect === 'write'
        ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 255 } }]
        : []),
    ],
    ...(!inQuery && {
      requestBody: {
        required: required.length > 0,
        content: { 'application/json': { schema: { ...input, properties: rest, required } } },
      },
    }),
    responses: {
      [operation.job ? '202' : '200']: {
        description: operation.summary,
        content: {
          'application/json': { schema: schemaOf(operation.output, 'output', `${operation.name}.output`, schemas) },
        },
      },
      ...(operation.admission !== undefined && { '202': { description: 'Waits for approval' } }),
      default: {
        description: `Problem details; of its own: ${operation.errors.join(', ') || 'none'}`,
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
    ...(operation.permission === 'public' && { security: [] }),
    'x-permission': operation.permission,
    'x-effect': operation.effect,
  }
}
