import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nested, request } from './encode.fixture.ts'
import { deepestValue, OtlpError } from './otlp-span.ts'
import { readJson } from './read-json.ts'
import { readProtobuf } from './read-protobuf.ts'

const limits = { spans: 20, perSpan: 10 }

/** Either the spans, or a refusal that says why; nothing else may happen. */
function attempt(read: () => unknown): 'read' | 'refused' {
  try {
    read()
    return 'read'
  } catch (error) {
    if (error instanceof OtlpError) return 'refused'
    throw error
  }
}

describe('a request', () => {
  it('is read as it was written, from bytes', () => {
    fc.assert(fc.property(request, ({ bytes, read }) => void expect(readProtobuf(bytes, limits)).toEqual(read)))
  })

  it('is read as it was written, from JSON', () => {
    fc.assert(
      fc.property(
        request,
        ({ json, read }) => void expect(readJson(JSON.parse(JSON.stringify(json)), limits)).toEqual(read),
      ),
    )
  })

  it('holds attributes that are JSON', () => {
    fc.assert(
      fc.property(request, ({ bytes }) => {
        for (const span of readProtobuf(bytes, limits).spans) expect(JSON.parse(span.attributes)).toBeTypeOf('object')
      }),
    )
  })

  it('that is cut short or has changed bytes is read or refused, and nothing worse', () => {
    const seen = new Set<string>()
    fc.assert(
      fc.property(
        request,
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        (one, cut, changes) => {
          const bytes = Uint8Array.from(one.bytes)
          for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
          seen.add(attempt(() => readProtobuf(bytes.subarray(0, cut % (bytes.length + 1)), limits)))
        },
      ),
      { numRuns: 2000 },
    )
    expect(seen).toEqual(new Set(['read', 'refused']))
  })

  it('of random bytes or JSON is read or refused, and nothing worse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void attempt(() => readProtobuf(bytes, limits))),
    )
    fc.assert(
      fc.property(fc.json(), (json) => void attempt(() => readJson({ resourceSpans: [JSON.parse(json)] }, limits))),
    )
  })

  it('is refused when it has too many spans, too much in one, or values that are too deep', () => {
    const json = (spans: number, attributes: number) => ({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: Array.from({ length: spans }, () => ({
                traceId: '1'.repeat(32),
                spanId: '1'.repeat(16),
                attributes: Array.from({ length: attributes }, (_, index) => ({ key: `k${index}`, value: {} })),
              })),
            },
          ],
        },
      ],
    })
    expect(attempt(() => readJson(json(20, 10), limits))).toBe('read')
    expect(attempt(() => readJson(json(21, 0), limits))).toBe('refused')
    expect(attempt(() => readJson(json(1, 11), limits))).toBe('refused')
    expect(attempt(() => readProtobuf(nested(deepestValue), limits))).toBe('read')
    expect(attempt(() => readProtobuf(nested(deepestValue + 1), limits))).toBe('refused')
    expect(attempt(() => readProtobuf(nested(3000), limits))).toBe('refused')
  })

  it('is refused when an id means nothing', () => {
    const span = (traceId: string, spanId: string) => ({
      resourceSpans: [{ scopeSpans: [{ spans: [{ traceId, spanId }] }] }],
    })
    for (const trace of ['', '0'.repeat(32), '1'.repeat(31), `${'1'.repeat(31)}/`, '../..'.padEnd(32, '1')]) {
      expect(
        attempt(() => readJson(span(trace, '1'.repeat(16)), limits)),
        trace,
      ).toBe('refused')
    }
    expect(attempt(() => readJson(span('1'.repeat(32), '0'.repeat(16)), limits))).toBe('refused')
  })
})
