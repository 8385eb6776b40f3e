import { type Span, SpanStatusCode, trace } from '@opentelemetry/api'
import pino, { type Logger } from 'pino'
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export interface Telemetry {
  registry: Registry
  span<T>(name: string, work: () => Promise<T>): Promise<T>
  operationFinished(operation: string, outcome: string, milliseconds: number): void
  unauthenticatedRequest(): void
  close(): Promise<void>
}

/** Bytes of log that wait for a full disk; more is dropped. */
const mostUnwritten = 4 * 1024 * 1024

/** JSON logs on stderr, so that stdout stays for what a command answers; the trace id of the running span is added. */
export function createLogger(level: string, destination: number | string = 2): Logger {
  const lines = pino.destination({ dest: destination, sync: true, maxLength: mostUnwritten })
  // A log that cannot be written, on a full disk, must not break what it tells of. It is kept and tried again.
  lines.on('error', () => {})
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin() {
        const span = trace.getActiveSpan()?.spanContext()
        const fields: { traceId?: string } = {}
        if (span !== undefined) fields.traceId = span.traceId
        return fields
      },
    },
    lines,
  )
}

/** Metrics always; traces only when an OTLP endpoint is set, whose packages are loaded then. */
export async function createTelemetry(options: {
  service: string
  otlpEndpoint: string | undefined
}): Promise<Telemetry> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const operations = new Histogram({
    name: 'pave_operation_duration_seconds',
    help: 'Time from the call of an operation to its answer',
    labelNames: ['operation', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  })
  const unauthenticated = new Counter({
    name: 'pave_unauthenticated_requests_total',
    help: 'Requests refused for want of a valid token; the ledger has no entry of them',
    registers: [registry],
  })
  const provider = options.otlpEndpoint ? await startTracing(options.service, options.otlpEndpoint) : undefined
  const tracer = trace.getTracer('pave')
  return {
    registry,
    span: (name, work) => (provider ? inSpan(tracer.startActiveSpan.bind(tracer), name, work) : work()),
    operationFinished: (operation, outcome, milliseconds) =>
      operations.observe({ operation, outcome }, milliseconds / 1000),
    unauthenticatedRequest: () => unauthenticated.inc(),
    close: async () => provider?.shutdown(),
  }
}

async function startTracing(service: string, endpoint: string) {
  const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: new URL('/v1/traces', endpoint).href }))],
  })
  provider.register()
  return provider
}

async function inSpan<T>(
  start: (name: string, run: (span: Span) => Promise<T>) => Promise<T>,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  return start(name, async (span) => {
    try {
      return await work()
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) })
      throw error
    } finally {
      span.end()
    }
  })
}
