import type { Assessment, Span, Trace, TraceState } from '#modules/traces/contract.ts'
import { keyValues, omitEmpty } from './endpoint.ts'
import { traceLocation } from './location.ts'

const states = { unspecified: 'STATE_UNSPECIFIED', in_progress: 'IN_PROGRESS', ok: 'OK', error: 'ERROR' } as const

export function readState(state: string | undefined): TraceState {
  if (state === 'IN_PROGRESS') return 'in_progress'
  if (state === 'OK') return 'ok'
  return state === 'ERROR' ? 'error' : 'unspecified'
}

/** `TraceInfoV3`. The client reads from tags that spans are kept here, not in a file, and where to attach files. */
export function wireTrace(trace: Trace) {
  const metadata = metadataOf(trace)
  return {
    trace_id: trace.trace,
    ...(trace.clientRequest !== null && { client_request_id: trace.clientRequest }),
    trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: trace.experiment } },
    ...(trace.requestPreview !== null && { request_preview: trace.requestPreview }),
    ...(trace.responsePreview !== null && { response_preview: trace.responsePreview }),
    request_time: wireTime(new Date(trace.startedAt).toISOString()),
    ...(trace.durationMs !== null && { execution_duration: wireDuration(trace.durationMs) }),
    state: states[trace.state],
    ...(Object.keys(metadata).length > 0 && { trace_metadata: metadata }),
    ...omitEmpty({
      tags: tagsOf(trace),
      assessments: trace.assessments.map(wireAssessment),
    }),
  }
}

/** As Protocol Buffers write them in JSON: a fraction of three digits, or none. */
function wireTime(instant: string): string {
  return instant.replace(/\.000Z$/, 'Z')
}

function wireDuration(ms: number): string {
  return `${ms % 1000 === 0 ? ms / 1000 : (ms / 1000).toFixed(3)}s`
}

/** `TraceInfo` as clients before MLflow 3 know it. */
export function wireOldTrace(trace: Trace) {
  return {
    request_id: trace.trace,
    experiment_id: trace.experiment,
    timestamp_ms: trace.startedAt,
    execution_time_ms: trace.durationMs ?? 0,
    status: trace.state === 'unspecified' ? 'TRACE_STATUS_UNSPECIFIED' : states[trace.state],
    ...omitEmpty({ request_metadata: keyValues(metadataOf(trace)), tags: keyValues(tagsOf(trace)) }),
  }
}

function tagsOf(trace: Trace): Record<string, string> {
  const { name, tags } = trace
  return {
    ...tags,
    ...(name !== null && { 'mlflow.traceName': name }),
    'mlflow.artifactLocation': traceLocation(trace),
    'mlflow.trace.spansLocation': 'TRACKING_STORE',
  }
}

function metadataOf({ metadata, tokens }: Trace): Record<string, string> {
  const usage = tokens && { input_tokens: tokens.input, output_tokens: tokens.output, total_tokens: tokens.total }
  return { ...(usage !== null && { 'mlflow.trace.tokenUsage': JSON.stringify(usage) }), ...metadata }
}

const sources = {
  human: 'HUMAN',
  llm_judge: 'LLM_JUDGE',
  code: 'CODE',
  unspecified: 'SOURCE_TYPE_UNSPECIFIED',
} as const

export function wireAssessment(assessment: Assessment) {
  const { kind, value, error, source, span, rationale, overrides } = assessment
  return {
    assessment_id: assessment.assessment,
    assessment_name: assessment.name,
    trace_id: assessment.trace,
    ...(span !== null && { span_id: span }),
    source: { source_type: sources[source.type], source_id: source.id },
    create_time: wireTime(assessment.createdAt),
    last_update_time: wireTime(assessment.updatedAt),
    ...(kind === 'feedback' && { feedback: { value, ...(error !== null && { error: wireError(error) }) } }),
    ...(kind === 'expectation' && { expectation: wireExpectation(value) }),
    ...(kind === 'issue' && { issue: { issue_name: String(value ?? '') } }),
    ...(rationale !== null && { rationale }),
    ...(Object.keys(assessment.metadata).length > 0 && { metadata: assessment.metadata }),
    ...(overrides !== null && { overrides }),
    valid: assessment.valid,
  }
}

function wireError({ code, message, stack }: NonNullable<Assessment['error']>) {
  return { error_code: code, error_message: message, ...(stack !== '' && { stack_trace: stack }) }
}

/** Lists and objects travel as JSON, as the client sends them. */
function wireExpectation(value: unknown) {
  return typeof value === 'object' && value !== null
    ? { serialized_value: { serialization_format: 'JSON_FORMAT', value: JSON.stringify(value) } }
    : { value }
}

const statusCodes = { ok: 'STATUS_CODE_OK', error: 'STATUS_CODE_ERROR' } as const

/** OpenTelemetry's `Span` in Protocol Buffers' JSON. Times are texts, because a number would round them. */
export function wireSpan(trace: string, span: Span) {
  return {
    trace_id: base64(trace.slice('tr-'.length)),
    span_id: base64(span.span),
    ...(span.parent !== null && { parent_span_id: base64(span.parent) }),
    name: span.name,
    ...(span.kind !== 0 && { kind: span.kind }),
    start_time_unix_nano: span.start,
    ...(span.end !== null && { end_time_unix_nano: span.end }),
    attributes: wireAttributes(span.attributes),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      time_unix_nano: time,
      attributes: wireAttributes(attributes),
    })),
    links: span.links.map((link) => ({
      trace_id: base64(link.trace),
      span_id: base64(link.span),
      attributes: wireAttributes(link.attributes),
    })),
    status: {
      ...(span.status !== 'unset' && { code: statusCodes[span.status] }),
      ...(span.message !== '' && { message: span.message }),
    },
  }
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64')
}

type Reviver = (key: string, value: unknown, context: { source: string }) => unknown

/** Only as it is written does a number tell whether it is an integer; the types of JSON.parse know no source yet. */
const parseWithSource = (text: string, reviver: Reviver): unknown =>
  Reflect.apply(JSON.parse, undefined, [text, reviver])

function wireAttributes(json: string): unknown[] {
  if (json === '{}') return []
  return keyValuesOf(
    parseWithSource(json, (_key, one, { source }) => (typeof one === 'number' ? new NumberText(source) : one)),
  )
}

class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

function keyValuesOf(value: unknown): { key: string; value: unknown }[] {
  return Object.entries(Object(value)).map(([key, one]) => ({ key, value: anyValue(one) }))
}

function anyValue(value: unknown): unknown {
  if (value === null) return {}
  if (typeof value === 'string') return { string_value: value }
  if (typeof value === 'boolean') return { bool_value: value }
  if (value instanceof NumberText) return numberValue(value.text)
  if (Array.isArray(value)) return { array_value: { values: value.map(anyValue) } }
  return { kvlist_value: { values: keyValuesOf(value) } }
}

function numberValue(text: string): unknown {
  if (/^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) return { int_value: text }
  return { double_value: Number(text) }
}
