import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binOf, countBins, mergeCounts, quantileEdges } from './histogram.ts'
import { mergeProfiles, profileColumn } from './profile.ts'

const column = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
    { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom(null, Number.NaN, Infinity, -Infinity) },
  ),
  { maxLength: 60 },
)

describe('histogram', () => {
  it('puts edges at quantiles and an equal share in every bin of a continuous column', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000)
    expect(quantileEdges(values, 4)).toEqual([250, 500, 750])
    expect(countBins(values, quantileEdges(values)).counts).toEqual(new Array(10).fill(100))
  })

  it('makes fewer bins of ties, none of them empty in the reference', () => {
    expect(quantileEdges([1, 1, 1, 1], 10)).toEqual([])
    expect(quantileEdges([], 10)).toEqual([])
    fc.assert(
      fc.property(column, (values) => {
        const { counts, missing } = countBins(values, quantileEdges(values, 5))
        const present = counts.reduce((sum, count) => sum + count, 0)
        expect(present + missing).toBe(values.length)
        if (present > 0) expect(Math.min(...counts)).toBeGreaterThan(0)
      }),
    )
  })

  it('closes a bin below and opens it above, with outer bins that hold everything else', () => {
    expect([-1e9, 9.99, 10, 19.99, 20, 1e9].map((value) => binOf(value, [10, 20]))).toEqual([0, 0, 1, 1, 2, 2])
    expect(countBins([null, Number.NaN, -Infinity, 5], [10])).toEqual({ counts: [1, 0], missing: 3 })
  })

  it('refuses to merge counts over different bins', () => {
    expect(mergeCounts([1, 2], [3, 4])).toEqual([4, 6])
    expect(() => mergeCounts([1], [1, 2])).toThrow(RangeError)
  })
})

describe('profile', () => {
  it('describes a column', () => {
    expect(profileColumn('delay', [1, null, 3, 5, 7, Number.NaN], [4])).toEqual({
      name: 'delay',
      count: 4,
      nulls: 2,
      mean: 4,
      std: Math.sqrt(5),
      min: 1,
      max: 7,
      edges: [4],
      counts: [2, 2],
    })
  })

  it('merges into the profile of both columns together', () => {
    fc.assert(
      fc.property(column, column, (a, b) => {
        const edges = [-100, 0, 1, 250]
        const merged = mergeProfiles(profileColumn('x', a, edges), profileColumn('x', b, edges))
        const whole = profileColumn('x', [...a, ...b], edges)
        expect({ ...merged, mean: 0, std: 0 }).toEqual({ ...whole, mean: 0, std: 0 })
        expect(merged.mean === null).toBe(whole.mean === null)
        expect(merged.mean ?? 0).toBeCloseTo(whole.mean ?? 0, 9)
        expect(merged.std ?? 0).toBeCloseTo(whole.std ?? 0, 9)
      }),
    )
  })

  it('refuses to merge over different edges', () => {
    expect(() => mergeProfiles(profileColumn('x', [1], [0]), profileColumn('x', [1], [1]))).toThrow('different edges')
  })
})
