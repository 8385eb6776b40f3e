import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { above, lengthOf, type Spans, treeOf, visibleRows } from './span-tree.ts'

/** `parents[i]` is the index of the parent of span i, or null. */
function spansOf(parents: readonly (number | null)[]): Spans {
  const id = (index: number) => `s${index}`
  return {
    start: '0',
    span: parents.map((_, index) => id(index)),
    parent: parents.map((parent) => (parent === null ? null : id(parent))),
    name: parents.map((_, index) => `name ${index}`),
    type: parents.map(() => 'UNKNOWN'),
    status: parents.map(() => 'ok'),
    offset: parents.map((_, index) => index),
    duration: parents.map((_, index) => (index % 3 === 0 ? null : 10)),
    tokens: parents.map(() => null),
  }
}

const shape = (parents: readonly (number | null)[]) =>
  treeOf(spansOf(parents)).map(({ index, depth, below }) => [index, depth, below])

describe('the tree of spans', () => {
  it('has each span after its parent, and orphans at the left', () => {
    expect(shape([null, 0, 1, 0, 99])).toEqual([
      [0, 0, 3],
      [1, 1, 1],
      [2, 2, 0],
      [3, 1, 0],
      [4, 0, 0],
    ])
  })

  it('shows spans that are parents of each other or of themselves', () => {
    expect(shape([1, 0, 2]).map(([index]) => index)).toEqual([2, 0, 1])
  })

  it('has every span once, whatever their parents are', () => {
    const parents = fc.array(fc.option(fc.nat(30)), { maxLength: 30 })
    fc.assert(
      fc.property(parents, (given) => {
        const rows = treeOf(spansOf(given))
        expect(rows.map((row) => row.index).sort((a, b) => a - b)).toEqual(given.map((_, index) => index))
        for (const [at, row] of rows.entries()) {
          const after = rows.slice(at + 1).findIndex((one) => one.depth <= row.depth)
          expect(row.below).toBe(after < 0 ? rows.length - at - 1 : after)
        }
      }),
    )
  })

  it('of a long chain is no deeper than a stack can be', () => {
    const chain = Array.from({ length: 50_000 }, (_, index) => (index === 0 ? null : index - 1))
    expect(treeOf(spansOf(chain)).at(-1)).toEqual({ index: 49_999, depth: 49_999, below: 0 })
  })

  it('of a wide trace is made too', () => {
    const wide = Array.from({ length: 50_000 }, (_, index) => (index === 0 ? null : 0))
    expect(treeOf(spansOf(wide))).toHaveLength(50_000)
  })

  it('hides what lies below closed spans, and says what to open to see one', () => {
    const spans = spansOf([null, 0, 1, 1, 0])
    const rows = treeOf(spans)
    const indexes = (closed: number[]) => visibleRows(rows, new Set(closed)).map((row) => row.index)
    expect(indexes([])).toEqual([0, 1, 2, 3, 4])
    expect(indexes([1])).toEqual([0, 1, 4])
    expect(indexes([0, 1])).toEqual([0])
    expect(above(spans, 3)).toEqual([1, 0])
    expect(above(spansOf([1, 0]), 0)).toEqual([1, 0])
  })

  it('is as long as its last span', () => {
    expect(lengthOf(spansOf([null, 0, 0]))).toBe(12)
    expect(lengthOf(spansOf([]))).toBe(1)
  })
})
