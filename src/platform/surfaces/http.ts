import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { PaveError, platformFailure } from '../errors.ts'
import type { Operation } from '../operation.ts'
import type { Platform } from '../platform.ts'
import { etagOf, invalidInput, runOperation } from '../run-operation.ts'
import { translateDatabaseError } from '../storage/database/translate-error.ts'
import { createServer, type ListeningServer } from '../tls/create-server.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import { serveEvents } from './events.ts'
import { kindsOf, manifestSchema } from './manifests/kinds.ts'
import { openApi } from './openapi.ts'
import { actorOrNobody, header, idempotencyKeyOf, requireActor, traceIdOf } from './request.ts'

const defaultBodyLimit = 1024 * 1024
/** Longer than load balancers keep an idle connection, so that they never send on one that is just being closed. */
const keepAliveTimeout = 72_000
/** A body may take as long as it does; without a limit of their own Node would let headers do so too. */
const headersTimeout = 60_000

/** The HTTP surface: one route for each declared operation, the modules' own routes, problem details for every error. */
export async function createHttpServer(
  platform: Platform,
  { tls, retired = () => false }: { tls?: ServerTls | undefined; retired?: () => boolean } = {},
): Promise<FastifyInstance> {
  const servers: ListeningServer[] = []
  const app: FastifyInstance = Fastify({
    // One for each address that the host name stands for.
    serverFactory: (listener) => {
      const created = createServer(tls, { keepAliveTimeout, headersTimeout, requestTimeout: 0 }, listener)
      servers.push(created)
      return created.server
    },
    logger: false,
    // Who asks is whom the proxy names last; what its clients claim before that is theirs.
    trustProxy: platform.services.config.tls.kind === 'proxy' && ((_address, hop) => hop === 0),
    bodyLimit: defaultBodyLimit,
    routerOptions: { maxParamLength: 500 },
    genReqId: () => platform.ids.next(),
    forceCloseConnections: true,
  })
  app.addHook('preClose', async () => {
    for (const { endHandshakes } of servers) endHandshakes()
  })
  app.removeContentTypeParser('text/plain')
  app.addHook('onSend', async (request, reply, payload) => {
    reply.header('x-request-id', request.id)
    reply.header('x-content-type-options', 'nosniff')
    return payload
  })
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(platform, error)
    if (problem.status === 401) platform.telemetry.unauthenticatedRequest()
    return sendProblem(reply, problem, request)
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, platformFailure('not_found', `There is nothing at ${request.method} ${request.url}`), request),
  )
  for (const operation of platform.operations.values()) mount(app, platform, operation)
  const document = JSON.stringify(openApi([...platform.operations.values()]))
  app.get('/openapi.json', (_request, reply) => reply.type('application/json').send(document))
  for (const kind of kindsOf([...platform.operations.values()])) {
    const schema = JSON.stringify(manifestSchema(kind))
    app.get(`/schemas/${kind.kind}.json`, (_request, reply) => reply.type('application/schema+json').send(schema))
  }
  app.get('/health', async (_request, reply) => {
    if (!retired()) return { status: 'ok' }
    return reply.status(503).send({ status: 'stopping' })
  })
  app.get('/metrics', async (_request, reply) =>
    reply.type(platform.telemetry.registry.contentType).send(await platform.telemetry.registry.metrics()),
  )
  app.get('/api/v1/events', (request, reply) => serveEvents(platform, request, reply))
  for (const module of platform.modules) module.routes?.(app, platform)
  return app
}

function mount(app: FastifyInstance, platform: Platform, operation: Operation): void {
  const numeric = numericFields(operation)
  app.route({
    method: operation.method,
    url: operation.path,
    bodyLimit: operation.bodyLimit ?? defaultBodyLimit,
    handler: async (request, reply) => {
      const actor =
        operation.permission === 'public'
          ? await actorOrNobody(platform, request)
          : await requireActor(platform, request)
      const answer = await runOperation(platform, operation, {
        actor,
        input: inputOf(operation, request, numeric),
        idempotencyKey: idempotencyKeyOf(request),
        ifMatch: header(request, 'if-match'),
        traceId: traceIdOf(request),
      })
      if (answer.replayed) reply.header('idempotency-replayed', 'true')
      if (isRecord(answer.output) && 'spec' in answer.output) {
        reply.header('etag', etagOf(answer.output.spec))
      }
      return reply.status(answer.status).type('application/json').send(JSON.stringify(answer.output))
    },
  })
}

/** Path, query and body become one input; strings of path and query are read as numbers and booleans by the schema. */
function inputOf(operation: Operation, request: FastifyRequest, typed: Map<string, 'number' | 'boolean'>): unknown {
  const input: Record<string, unknown> = {}
  if (operation.method !== 'GET' && request.body !== undefined && request.body !== null) {
    if (!isRecord(request.body)) throw platformFailure('malformed_body', 'The body must be a JSON object')
    Object.assign(input, request.body)
  }
  for (const part of [request.query, request.params]) {
    if (!isRecord(part)) continue
    for (const [name, value] of Object.entries(part)) input[name] = readText(value, typed.get(name))
  }
  return input
}

function readText(value: unknown, type: 'number' | 'boolean' | undefined): unknown {
  if (typeof value !== 'string') return value
  if (type === 'number' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return Number(value)
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

function numericFields(operation: Operation): Map<string, 'number' | 'boolean'> {
  const schema = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' })
  const fields = new Map<string, 'number' | 'boolean'>()
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (typeof property !== 'object') continue
    if (property.type === 'integer' || property.type === 'number') fields.set(name, 'number')
    if (property.type === 'boolean') fields.set(name, 'boolean')
  }
  return fields
}

function problemOf(platform: Platform, error: unknown): PaveError {
  if (error instanceof PaveError) return error
  if (error instanceof z.ZodError) return invalidInput('The request', error)
  const database = translateDatabaseError(error)
  if (database !== undefined) return database
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    if (error.statusCode === 413) return platformFailure('body_too_large', error.message)
    if (error.statusCode < 500) return platformFailure('malformed_body', error.message)
  }
  platform.log.error({ err: error }, 'a request broke')
  return platformFailure('internal', 'Something broke inside Pave', { cause: error })
}

/** RFC 9457 problem details with our stable code, the hint, and a pointer to each wrong field. */
function sendProblem(reply: FastifyReply, error: PaveError, request: FastifyRequest): FastifyReply {
  if (error.status === 503 || error.status === 429) reply.header('retry-after', '1')
  if (error.status === 401) reply.header('www-authenticate', 'Bearer')
  // The rest of a body that nobody wants is read and dropped: to close on it, as Fastify would, resets the connection, and
  // the caller never sees why.
  if (!request.raw.complete) {
    reply.removeHeader('connection')
    request.raw.resume()
  }
  return reply
    .status(error.status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `/docs/errors#${error.code}`,
        title: error.code.replaceAll('_', ' '),
        status: error.status,
        code: error.code,
        detail: error.message,
        hint: error.hint,
        instance: request.id,
        ...(error.problems.length > 0 && { problems: error.problems }),
        ...(error.details !== undefined && { details: error.details }),
      }),
    )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
