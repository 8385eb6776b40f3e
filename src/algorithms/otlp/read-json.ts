import {
  deepestValue,
  numberText,
  OtlpError,
  type OtlpLimits,
  type OtlpSpan,
  type OtlpTraces,
  requireId,
} from './otlp-span.ts'

const statuses: Readonly<Record<string, OtlpSpan['status']>> = {
  '1': 'ok',
  STATUS_CODE_OK: 'ok',
  '2': 'error',
  STATUS_CODE_ERROR: 'error',
}

/**
 * The spans of an `ExportTraceServiceRequest` in OTLP's JSON encoding: ids in hexadecimal, 64-bit numbers as texts.
 *
 * @throws OtlpError
 */
export function readJson(body: unknown, limits: OtlpLimits): OtlpTraces {
  const traces: OtlpTraces = { spans: [], resources: [] }
  for (const resource of listOf(body, 'resourceSpans')) {
    const from = traces.spans.length
    for (const span of listOf(resource, 'scopeSpans').flatMap((scope) => listOf(scope, 'spans'))) {
      if (traces.spans.length === limits.spans) throw new OtlpError(`there are more than ${limits.spans} spans`)
      traces.spans.push(readSpan(span, limits))
    }
    traces.resources.push({ attributes: attributesOf(at(resource, 'resource'), limits), from, to: traces.spans.length })
  }
  return traces
}

function readSpan(span: unknown, limits: OtlpLimits): OtlpSpan {
  const parent = textOf(span, 'parentSpanId').toLowerCase()
  const end = nanosOf(span, 'endTimeUnixNano')
  const status = at(span, 'status')
  return {
    trace: requireId(textOf(span, 'traceId').toLowerCase(), 32, 'trace id'),
    span: requireId(textOf(span, 'spanId').toLowerCase(), 16, 'span id'),
    parent: parent === '' ? null : requireId(parent, 16, 'parent id'),
    name: textOf(span, 'name'),
    kind: Number(at(span, 'kind')) | 0,
    start: nanosOf(span, 'startTimeUnixNano'),
    end: end === '0' ? null : end,
    status: statuses[String(at(status, 'code'))] ?? 'unset',
    message: textOf(status, 'message'),
    attributes: attributesOf(span, limits),
    events: bounded(listOf(span, 'events'), limits).map((event) => ({
      name: textOf(event, 'name'),
      time: nanosOf(event, 'timeUnixNano'),
      attributes: attributesOf(event, limits),
    })),
    links: bounded(listOf(span, 'links'), limits).map((link) => ({
      trace: requireId(textOf(link, 'traceId').toLowerCase(), 32, 'linked trace id'),
      span: requireId(textOf(link, 'spanId').toLowerCase(), 16, 'linked span id'),
      attributes: attributesOf(link, limits),
    })),
  }
}

function attributesOf(owner: unknown, limits: OtlpLimits): string {
  return objectOf(bounded(listOf(owner, 'attributes'), limits), 0)
}

function objectOf(pairs: readonly unknown[], depth: number): string {
  return `{${pairs.map((pair) => `${JSON.stringify(textOf(pair, 'key'))}:${jsonOf(at(pair, 'value'), depth)}`).join(',')}}`
}

function jsonOf(value: unknown, depth: number): string {
  if (depth > deepestValue) throw new OtlpError(`a value is nested deeper than ${deepestValue} times`)
  const text = at(value, 'stringValue') ?? at(value, 'bytesValue')
  if (typeof text === 'string') return JSON.stringify(text)
  const flag = at(value, 'boolValue')
  if (typeof flag === 'boolean') return String(flag)
  const integer = at(value, 'intValue')
  if (integer !== undefined) {
    if (/^-?\d{1,19}$/.test(String(integer))) return String(BigInt(String(integer)))
    throw new OtlpError('an intValue is no integer')
  }
  const double = at(value, 'doubleValue')
  if (typeof double === 'number' || typeof double === 'string') return numberText(Number(double))
  const list = at(value, 'arrayValue')
  if (list !== undefined)
    return `[${listOf(list, 'values')
      .map((one) => jsonOf(one, depth + 1))
      .join(',')}]`
  const pairs = at(value, 'kvlistValue')
  return pairs === undefined ? 'null' : objectOf(listOf(pairs, 'values'), depth + 1)
}

function at(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return Reflect.get(value, key) ?? undefined
}

function listOf(value: unknown, key: string): unknown[] {
  const list = at(value, key)
  if (list === undefined) return []
  if (Array.isArray(list)) return list
  throw new OtlpError(`${key} is no list`)
}

function textOf(value: unknown, key: string): string {
  const text = at(value, key)
  if (text === undefined) return ''
  if (typeof text === 'string') return text
  throw new OtlpError(`${key} is no text`)
}

function nanosOf(value: unknown, key: string): string {
  const nanos = String(at(value, key) ?? '0')
  if (/^\d{1,20}$/.test(nanos)) return String(BigInt(nanos))
  throw new OtlpError(`${key} is no time in nanoseconds`)
}

function bounded(list: unknown[], limits: OtlpLimits): unknown[] {
  if (list.length <= limits.perSpan) return list
  throw new OtlpError(`a span has more than ${limits.perSpan} attributes, events or links`)
}
