import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { PaveError, platformFailure } from '#platform/errors.ts'
import { createServer, type ListeningServer } from '#platform/tls/create-server.ts'
import type { ServerTls } from '#platform/tls/server-tls.ts'
import { type Answering, answerRequest } from './answer-request.ts'
import { describeEndpoint } from './describe-endpoint.ts'
import { inferenceFailure } from './errors.ts'
import { readJsonBody } from './read-body.ts'
import { readRequest } from './read-request.ts'
import { authenticate, findEndpoint, type RouteTable } from './route-table.ts'

export interface HttpServerOptions {
  answering: Answering
  table: () => RouteTable
  /** Takes new traffic: a plan is in force, workers answer, and the node is not about to stop. */
  ready: () => boolean
  /** About to stop: connections are closed after their answer. */
  draining: () => boolean
  tls: ServerTls | undefined
  log: Logger
}

interface Target {
  model: string
  version: number | undefined
  action: 'metadata' | 'ready' | 'infer'
}

/**
 * The Open Inference Protocol over HTTP, version 2. Health and metrics are open; the rest needs a token of the plan. Bare
 * `node:http`, because here every microsecond is paid by every prediction.
 */
export function createHttpServer(options: HttpServerOptions): ListeningServer {
  const { log, answering } = options
  const listening = createServer(
    options.tls,
    { keepAliveTimeout: 65_000, headersTimeout: 15_000, requestTimeout: 60_000, noDelay: true },
    (request, response) => {
      if (options.draining()) response.setHeader('connection', 'close')
      route(request, response).catch((error: unknown) => sendError(request, response, error))
    },
  )

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '/'] = (request.url ?? '/').split('?', 1)
    const target = parseTarget(path)
    if (target?.action === 'infer') return infer(request, response, target)
    if (target !== undefined) return describe(request, response, target)
    if (request.method !== 'GET') throw notFound(request, path)
    if (path === '/v2') {
      return sendJson(request, response, 200, { name: 'pave', version: '2', extensions: [] })
    }
    if (path === '/v2/health/live') return sendJson(request, response, 200, { live: true })
    if (path === '/v2/health/ready') {
      const ready = options.ready()
      return sendJson(request, response, ready ? 200 : 503, { ready })
    }
    if (path === '/metrics') {
      const { registry } = answering.metrics
      response.writeHead(200, { 'content-type': registry.contentType })
      response.end(await registry.metrics())
      return
    }
    throw notFound(request, path)
  }

  async function infer(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    if (request.method !== 'POST') throw wrongMethod(request, 'POST')
    const key = authenticate(options.table(), request.headers.authorization, answering.clock.now())
    findEndpoint(options.table(), key, target.model)
    const body = await readJsonBody(request)
    const receivedAt = performance.now()
    const traceId = traceIdOf(request)
    // Looked up again: the plan may have changed while the body arrived.
    const endpoint = findEndpoint(options.table(), key, target.model)
    const call = { version: target.version, traceId, receivedAt }
    const { outcome, finish } = await answerRequest(answering, endpoint, readRequest(body), call)
    try {
      if (outcome instanceof PaveError) throw outcome
      sendJson(request, response, 200, outcome)
    } finally {
      finish()
    }
  }

  async function describe(request: IncomingMessage, response: ServerResponse, target: Target): Promise<void> {
    if (request.method !== 'GET') throw wrongMethod(request, 'GET')
    const key = authenticate(options.table(), request.headers.authorization, answering.clock.now())
    const endpoint = findEndpoint(options.table(), key, target.model)
    const { version } = target
    if (version !== undefined && !endpoint.routes.some((candidate) => candidate.version.version === version)) {
      throw inferenceFailure('version_not_served', `${target.model} serves no version ${version}`)
    }
    if (target.action === 'metadata') return sendJson(request, response, 200, describeEndpoint(endpoint))
    const ready = options.ready() && endpoint.routes.length > 0
    sendJson(request, response, ready ? 200 : 503, { name: target.model, ready })
  }

  /** `{error}` is the protocol's shape; code and hint are ours. */
  function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const failure = error instanceof PaveError ? error : platformFailure('internal', 'Something broke inside Pave')
    if (failure !== error) log.error({ err: error, path: request.url, traceId: traceIdOf(request) }, 'a request broke')
    answering.metrics.refused(parseTarget(request.url ?? '')?.model ?? '', failure.code)
    if (response.headersSent) return void response.destroy()
    if (failure.status === 503) response.setHeader('retry-after', '1')
    if (failure.status === 401) response.setHeader('www-authenticate', 'Bearer')
    // The rest of a body that nobody wants is read and dropped: to close on it would reset the connection, and the caller
    // would never see why. The request's time-out bounds it.
    request.resume()
    const { message, code, hint, problems } = failure
    sendJson(request, response, failure.status, {
      error: message,
      code,
      hint,
      ...(problems.length > 0 && { problems }),
    })
  }

  return listening
}

/** `/v2/models/{model}[/versions/{version}][/ready|/infer]`, or undefined for any other path. */
function parseTarget(path: string): Target | undefined {
  const [empty, protocol, models, encoded, ...rest] = path.split('/')
  if (empty !== '' || protocol !== 'v2' || models !== 'models' || !encoded) return undefined
  const model = decodeName(encoded)
  let version: number | undefined
  if (rest[0] === 'versions') {
    version = Number(rest[1])
    rest.splice(0, 2)
  }
  const [action = 'metadata', ...more] = rest
  if (more.length > 0 || (action !== 'metadata' && action !== 'ready' && action !== 'infer')) return undefined
  return { model, version, action }
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

function sendJson(request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void {
  // A text goes out together with the header; bytes would be a second buffer.
  const text = JSON.stringify(body)
  const requestId = request.headers['x-request-id']
  if (typeof requestId === 'string') response.setHeader('x-request-id', requestId.slice(0, 200))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** The trace id of a W3C traceparent. */
function traceIdOf(request: IncomingMessage): string | null {
  const header = request.headers['traceparent']
  return typeof header === 'string' ? (/^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(header)?.[1] ?? null) : null
}

function notFound(request: IncomingMessage, path: string) {
  return platformFailure('not_found', `There is nothing at ${request.method} ${path}`, {
    hint: 'The paths are those of the Open Inference Protocol, under /v2.',
  })
}

function wrongMethod(request: IncomingMessage, expected: string) {
  return inferenceFailure('method_not_allowed', `${request.method} is not answered at ${request.url}; use ${expected}`)
}
