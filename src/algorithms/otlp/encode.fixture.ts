import fc from 'fast-check'
import type { OtlpSpan, OtlpTraces } from './otlp-span.ts'

// A writer of the messages that are read here, by the letter of opentelemetry-proto; what a reader makes of its bytes
// must be what went in.

/** A value as OTLP has it, with the JSON that it must become. */
export interface Value {
  bytes: Uint8Array
  /** OTLP's own JSON. */
  json: object
  text: string
}

const varint = (value: bigint): Uint8Array => {
  const bytes: number[] = []
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 127n) | 128)
  }
}

const tag = (field: number, wireType: number) => varint(BigInt(field * 8 + wireType))
const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const delimited = (field: number, content: Uint8Array) => join(tag(field, 2), varint(BigInt(content.length)), content)
const text = (field: number, content: string) => delimited(field, Buffer.from(content))
const number = (field: number, value: number) => join(tag(field, 0), varint(BigInt(value)))

const fixed64 = (field: number, value: bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return join(tag(field, 1), bytes)
}

const double = (field: number, value: number) => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return join(tag(field, 1), bytes)
}

const doubleText = (value: number) => {
  if (!Number.isFinite(value)) return `"${value}"`
  const written = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(written) ? written : `${written}.0`
}

const member = (key: string, value: Value): Value => ({
  bytes: join(text(1, key), delimited(2, value.bytes)),
  json: { key, value: value.json },
  text: `${JSON.stringify(key)}:${value.text}`,
})

const string = fc.string({ unit: 'grapheme', maxLength: 20 })

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    string.map((one) => ({ bytes: text(1, one), json: { stringValue: one }, text: JSON.stringify(one) })),
    fc.boolean().map((one) => ({ bytes: number(2, one ? 1 : 0), json: { boolValue: one }, text: String(one) })),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((one) => ({ bytes: join(tag(3, 0), varint(one)), json: { intValue: String(one) }, text: String(one) })),
    fc
      .double()
      .map((one) => ({ bytes: double(4, one), json: { doubleValue: doubleJson(one) }, text: doubleText(one) })),
    fc.uint8Array({ maxLength: 10 }).map((one) => {
      const base64 = Buffer.from(one).toString('base64')
      return { bytes: delimited(7, one), json: { bytesValue: base64 }, text: JSON.stringify(base64) }
    }),
    fc.constant({ bytes: new Uint8Array(), json: {}, text: 'null' }),
    fc.array(tie('value'), { maxLength: 3 }).map((list) => ({
      bytes: delimited(5, join(...list.map((one) => delimited(1, one.bytes)))),
      json: { arrayValue: { values: list.map((one) => one.json) } },
      text: `[${list.map((one) => one.text).join(',')}]`,
    })),
    fc.array(fc.tuple(string, tie('value')), { maxLength: 3 }).map((pairs) => {
      const members = pairs.map(([key, one]) => member(key, one))
      return {
        bytes: delimited(6, join(...members.map((one) => delimited(1, one.bytes)))),
        json: { kvlistValue: { values: members.map((one) => one.json) } },
        text: `{${members.map((one) => one.text).join(',')}}`,
      }
    }),
  ),
}))

/** JSON has no NaN: OTLP writes it as a text; and a negative zero would lose its sign. */
const doubleJson = (one: number) =>
  Number.isFinite(one) && !Object.is(one, -0) ? one : doubleText(one).replaceAll('"', '')

const attributes = fc.array(
  fc.tuple(string, value).map(([key, one]) => member(key, one)),
  { maxLength: 4 },
)
const objectText = (members: readonly Value[]) => `{${members.map((one) => one.text).join(',')}}`

const id = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).filter((one) => one.some((byte) => byte !== 0))
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

interface Given<T> {
  bytes: Uint8Array
  json: object
  read: T
}

const event = fc.record({ name: string, time: nanos, attributes }).map(
  (one): Given<OtlpSpan['events'][number]> => ({
    bytes: join(
      fixed64(1, one.time),
      text(2, one.name),
      ...one.attributes.map((each) => delimited(3, each.bytes)),
      number(4, 7),
    ),
    json: { name: one.name, timeUnixNano: String(one.time), attributes: one.attributes.map((each) => each.json) },
    read: { name: one.name, time: String(one.time), attributes: objectText(one.attributes) },
  }),
)

const link = fc.record({ trace: id(16), span: id(8), attributes }).map(
  (one): Given<OtlpSpan['links'][number]> => ({
    bytes: join(
      delimited(1, one.trace),
      delimited(2, one.span),
      ...one.attributes.map((each) => delimited(4, each.bytes)),
    ),
    json: { traceId: hex(one.trace), spanId: hex(one.span), attributes: one.attributes.map((each) => each.json) },
    read: { trace: hex(one.trace), span: hex(one.span), attributes: objectText(one.attributes) },
  }),
)

const statuses = ['unset', 'ok', 'error'] as const

const span = fc
  .record({
    trace: id(16),
    span: id(8),
    parent: fc.option(id(8)),
    name: string,
    kind: fc.nat(5),
    start: nanos,
    end: nanos,
    status: fc.nat(2),
    message: string,
    attributes,
    events: fc.array(event, { maxLength: 2 }),
    links: fc.array(link, { maxLength: 2 }),
  })
  .map(
    (one): Given<OtlpSpan> => ({
      bytes: join(
        delimited(1, one.trace),
        delimited(2, one.span),
        text(3, 'state=1'),
        ...(one.parent === null ? [] : [delimited(4, one.parent)]),
        text(5, one.name),
        number(6, one.kind),
        fixed64(7, one.start),
        fixed64(8, one.end),
        ...one.attributes.map((each) => delimited(9, each.bytes)),
        ...one.events.map((each) => delimited(11, each.bytes)),
        ...one.links.map((each) => delimited(13, each.bytes)),
        delimited(15, join(text(2, one.message), number(3, one.status))),
        join(tag(16, 5), Uint8Array.from([1, 0, 0, 0])),
      ),
      json: {
        traceId: hex(one.trace),
        spanId: hex(one.span),
        ...(one.parent !== null && { parentSpanId: hex(one.parent) }),
        name: one.name,
        kind: one.kind,
        startTimeUnixNano: String(one.start),
        endTimeUnixNano: String(one.end),
        attributes: one.attributes.map((each) => each.json),
        events: one.events.map((each) => each.json),
        links: one.links.map((each) => each.json),
        status: { message: one.message, code: one.status },
      },
      read: {
        trace: hex(one.trace),
        span: hex(one.span),
        parent: one.parent === null ? null : hex(one.parent),
        name: one.name,
        kind: one.kind,
        start: String(one.start),
        end: one.end === 0n ? null : String(one.end),
        status: statuses[one.status] ?? 'unset',
        message: one.message,
        attributes: objectText(one.attributes),
        events: one.events.map((each) => each.read),
        links: one.links.map((each) => each.read),
      },
    }),
  )

/** A request in both encodings, and what must be read from it. */
export const request = fc
  .array(fc.record({ attributes, scopes: fc.array(fc.array(span, { maxLength: 3 }), { maxLength: 2 }) }), {
    maxLength: 2,
  })
  .map((resources): Given<OtlpTraces> => {
    const read: OtlpTraces = { spans: [], resources: [] }
    for (const { attributes: given, scopes } of resources) {
      const from = read.spans.length
      read.spans.push(...scopes.flat().map((one) => one.read))
      read.resources.push({ attributes: objectText(given), from, to: read.spans.length })
    }
    return {
      read,
      bytes: join(
        ...resources.map(({ attributes: given, scopes }) =>
          delimited(
            1,
            join(
              delimited(1, join(...given.map((each) => delimited(1, each.bytes)))),
              ...scopes.map((spans) => delimited(2, join(...spans.map((one) => delimited(2, one.bytes))))),
            ),
          ),
        ),
      ),
      json: {
        resourceSpans: resources.map(({ attributes: given, scopes }) => ({
          resource: { attributes: given.map((each) => each.json) },
          scopeSpans: scopes.map((spans) => ({ scope: { name: 'x' }, spans: spans.map((one) => one.json) })),
        })),
      },
    }
  })

/** A value within values, as deep as asked. */
export function nested(depth: number): Uint8Array {
  let bytes: Uint8Array = text(1, 'deep')
  for (let level = 0; level < depth; level++) bytes = delimited(5, delimited(1, bytes))
  const attribute = join(text(1, 'key'), delimited(2, bytes))
  const one = join(delimited(1, Buffer.alloc(16, 1)), delimited(2, Buffer.alloc(8, 1)), delimited(9, attribute))
  return delimited(1, delimited(2, delimited(2, one)))
}
