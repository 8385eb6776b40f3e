import {
  deepestValue,
  numberText,
  OtlpError,
  type OtlpLimits,
  type OtlpSpan,
  type OtlpTraces,
  requireId,
} from './otlp-span.ts'
import { ProtobufCursor } from './protobuf-cursor.ts'

const statuses = ['unset', 'ok', 'error'] as const

/**
 * The spans of an `ExportTraceServiceRequest` (opentelemetry/proto/collector/trace/v1). Fields that Pave has no use for
 * are passed over.
 *
 * @throws OtlpError
 */
export function readProtobuf(body: Uint8Array, limits: OtlpLimits): OtlpTraces {
  const traces: OtlpTraces = { spans: [], resources: [] }
  const request = new ProtobufCursor(body)
  while (request.next()) {
    if (request.field === 1) readResourceSpans(request.message(), traces, limits)
    else request.skip()
  }
  return traces
}

function readResourceSpans(cursor: ProtobufCursor, traces: OtlpTraces, limits: OtlpLimits): void {
  let attributes = '{}'
  const from = traces.spans.length
  while (cursor.next()) {
    if (cursor.field === 1) attributes = attributesWithin(cursor.message(), 1, limits)
    else if (cursor.field === 2) readScopeSpans(cursor.message(), traces, limits)
    else cursor.skip()
  }
  traces.resources.push({ attributes, from, to: traces.spans.length })
}

function readScopeSpans(cursor: ProtobufCursor, traces: OtlpTraces, limits: OtlpLimits): void {
  while (cursor.next()) {
    if (cursor.field !== 2) cursor.skip()
    else if (traces.spans.length === limits.spans) throw new OtlpError(`there are more than ${limits.spans} spans`)
    else traces.spans.push(readSpan(cursor.message(), limits))
  }
}

function readSpan(cursor: ProtobufCursor, limits: OtlpLimits): OtlpSpan {
  const span: OtlpSpan = {
    trace: '',
    span: '',
    parent: null,
    name: '',
    kind: 0,
    start: '0',
    end: null,
    status: 'unset',
    message: '',
    attributes: '',
    events: [],
    links: [],
  }
  const attributes = new AttributeList(limits)
  while (cursor.next()) {
    if (cursor.field === 1) span.trace = hexOf(cursor.bytes())
    else if (cursor.field === 2) span.span = hexOf(cursor.bytes())
    else if (cursor.field === 4) span.parent = hexOf(cursor.bytes()) || null
    else if (cursor.field === 5) span.name = cursor.text()
    else if (cursor.field === 6) span.kind = cursor.number()
    else if (cursor.field === 7) span.start = String(cursor.fixed64())
    else if (cursor.field === 8) span.end = String(cursor.fixed64())
    else if (cursor.field === 9) attributes.add(cursor.message())
    else if (cursor.field === 11) push(span.events, readEvent(cursor.message(), limits), limits)
    else if (cursor.field === 13) push(span.links, readLink(cursor.message(), limits), limits)
    else if (cursor.field === 15) readStatus(cursor.message(), span)
    else cursor.skip()
  }
  requireId(span.trace, 32, 'trace id')
  requireId(span.span, 16, 'span id')
  if (span.parent !== null) requireId(span.parent, 16, 'parent id')
  if (span.end === '0') span.end = null
  span.attributes = attributes.text()
  return span
}

function readStatus(cursor: ProtobufCursor, span: OtlpSpan): void {
  while (cursor.next()) {
    if (cursor.field === 2) span.message = cursor.text()
    else if (cursor.field === 3) span.status = statuses[cursor.number()] ?? 'unset'
    else cursor.skip()
  }
}

function readEvent(cursor: ProtobufCursor, limits: OtlpLimits): OtlpSpan['events'][number] {
  const event = { name: '', time: '0', attributes: '' }
  const attributes = new AttributeList(limits)
  while (cursor.next()) {
    if (cursor.field === 1) event.time = String(cursor.fixed64())
    else if (cursor.field === 2) event.name = cursor.text()
    else if (cursor.field === 3) attributes.add(cursor.message())
    else cursor.skip()
  }
  event.attributes = attributes.text()
  return event
}

function readLink(cursor: ProtobufCursor, limits: OtlpLimits): OtlpSpan['links'][number] {
  const link = { trace: '', span: '', attributes: '' }
  const attributes = new AttributeList(limits)
  while (cursor.next()) {
    if (cursor.field === 1) link.trace = hexOf(cursor.bytes())
    else if (cursor.field === 2) link.span = hexOf(cursor.bytes())
    else if (cursor.field === 4) attributes.add(cursor.message())
    else cursor.skip()
  }
  requireId(link.trace, 32, 'linked trace id')
  requireId(link.span, 16, 'linked span id')
  link.attributes = attributes.text()
  return link
}

function attributesWithin(cursor: ProtobufCursor, field: number, limits: OtlpLimits): string {
  const attributes = new AttributeList(limits)
  while (cursor.next()) {
    if (cursor.field === field) attributes.add(cursor.message())
    else cursor.skip()
  }
  return attributes.text()
}

/** `KeyValue` messages as the members of one JSON object. */
class AttributeList {
  readonly #limits: OtlpLimits
  readonly #members: string[] = []

  constructor(limits: OtlpLimits) {
    this.#limits = limits
  }

  add(cursor: ProtobufCursor): void {
    push(this.#members, keyValue(cursor, 0), this.#limits)
  }

  text(): string {
    return `{${this.#members.join(',')}}`
  }
}

function keyValue(cursor: ProtobufCursor, depth: number): string {
  let key = ''
  let value = 'null'
  while (cursor.next()) {
    if (cursor.field === 1) key = cursor.text()
    else if (cursor.field === 2) value = anyValue(cursor.message(), depth)
    else cursor.skip()
  }
  return `${JSON.stringify(key)}:${value}`
}

function anyValue(cursor: ProtobufCursor, depth: number): string {
  if (depth > deepestValue) throw new OtlpError(`a value is nested deeper than ${deepestValue} times`)
  let value = 'null'
  while (cursor.next()) {
    if (cursor.field === 1) value = JSON.stringify(cursor.text())
    else if (cursor.field === 2) value = cursor.number() === 0 ? 'false' : 'true'
    else if (cursor.field === 3) value = String(cursor.int64())
    else if (cursor.field === 4) value = numberText(cursor.double())
    else if (cursor.field === 5) value = `[${valuesOf(cursor.message(), (one) => anyValue(one, depth + 1))}]`
    else if (cursor.field === 6) value = `{${valuesOf(cursor.message(), (one) => keyValue(one, depth + 1))}}`
    else if (cursor.field === 7) value = JSON.stringify(Buffer.from(cursor.bytes()).toString('base64'))
    else cursor.skip()
  }
  return value
}

function valuesOf(cursor: ProtobufCursor, read: (one: ProtobufCursor) => string): string {
  const values: string[] = []
  while (cursor.next()) {
    if (cursor.field === 1) values.push(read(cursor.message()))
    else cursor.skip()
  }
  return values.join(',')
}

function push<T>(list: T[], item: T, limits: OtlpLimits): void {
  if (list.length === limits.perSpan) {
    throw new OtlpError(`a span has more than ${limits.perSpan} attributes, events or links`)
  }
  list.push(item)
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
