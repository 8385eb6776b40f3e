import { promisify } from 'node:util'
import { gunzip, inflate } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OtlpError, type OtlpTraces } from '#algorithms/otlp/otlp-span.ts'
import { readJson } from '#algorithms/otlp/read-json.ts'
import { readProtobuf } from '#algorithms/otlp/read-protobuf.ts'
import { largestSpans, linkTraces, logSpans, mostPerSpan, mostSpans } from '#modules/traces/contract.ts'
import type { Call } from './endpoint.ts'
import { MlflowError } from './errors.ts'
import { runUuid } from './run-id.ts'

const limits = { spans: mostSpans, perSpan: mostPerSpan }
const protobuf = 'application/x-protobuf'

/** OTLP over HTTP: `POST /v1/traces` (mounted below `/v1`), as MLflow takes it, with the experiment named by a header. */
export function otlpRoutes(scope: FastifyInstance, callOf: (request: FastifyRequest) => Promise<Call>): void {
  const calls = new WeakMap<FastifyRequest, Call>()
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  scope.route({
    method: 'POST',
    url: '/traces',
    bodyLimit: largestSpans,
    // Who is not known sends nothing.
    onRequest: async (request) => void calls.set(request, await callOf(request)),
    handler: async (request, reply) => {
      const call = calls.get(request) ?? (await callOf(request))
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
      const traces = await readTraces(type, await bodyOf(request))
      await log(call, request, traces)
      // An answer without fields says that all of it was taken.
      return type === protobuf ? reply.type(protobuf).send(Buffer.alloc(0)) : reply.send({})
    },
  })
}

async function log(call: Call, request: FastifyRequest, { spans, resources }: OtlpTraces): Promise<void> {
  const experiment = headerOf(request, 'x-mlflow-experiment-id')
  if (experiment === undefined) throw bad('The header x-mlflow-experiment-id names no experiment')
  if (spans.length === 0) throw bad('The request holds no spans')
  const run = headerOf(request, 'x-mlflow-run-id')
  await call.run(logSpans, {
    experiment,
    spans: spans.map((span) => ({
      ...span,
      trace: `tr-${span.trace}`,
      name: span.name.slice(0, 1000),
      message: span.message.slice(0, 10_000),
      kind: span.kind >= 0 && span.kind <= 5 ? span.kind : 0,
      events: span.events.map((event) => ({ ...event, name: event.name.slice(0, 1000) })),
    })),
    resources,
  })
  const ended = new Set(spans.flatMap(({ trace, parent }) => (parent === null ? [`tr-${trace}`] : [])))
  if (run === undefined) return
  for (let ids = [...ended]; ids.length > 0; ids = ids.slice(100)) {
    await call.run(linkTraces, { run: runUuid(run), traces: ids.slice(0, 100) })
  }
}

function readTraces(type: string | undefined, body: Buffer): OtlpTraces {
  try {
    if (type === protobuf) return readProtobuf(body, limits)
    if (type === 'application/json') return readJson(JSON.parse(body.toString()), limits)
  } catch (error) {
    if (error instanceof OtlpError) throw bad(`The request is no OTLP: ${error.message}`)
    if (error instanceof SyntaxError) throw bad('The request is no JSON')
    throw error
  }
  throw bad(`The content type must be ${protobuf} or application/json`)
}

const unpack = {
  gzip: promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip),
  deflate: promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate),
}

/** Unpacked it may be no larger than it may be to begin with. */
async function bodyOf({ body, headers }: FastifyRequest): Promise<Buffer> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding === 'identity') return bytes
  if (encoding !== 'gzip' && encoding !== 'deflate') throw bad('The content encoding must be gzip or deflate')
  return unpack[encoding](bytes, { maxOutputLength: largestSpans }).catch((error: unknown) => {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw bad(tooLarge ? `Unpacked, the body is larger than ${largestSpans} bytes` : `The body is not ${encoding}`)
  })
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function bad(message: string): MlflowError {
  return new MlflowError('BAD_REQUEST', message)
}
