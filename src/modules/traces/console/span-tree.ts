import type { AnswerOf } from '#platform/operation.ts'
import type { listSpans } from '../contract.ts'

export type Spans = AnswerOf<typeof listSpans>

export interface TreeRow {
  /** Of the span in the columns. */
  index: number
  depth: number
  /** Spans below it, whether or not they are shown. */
  below: number
}

/** Each span after its parent, children in the order of their start. Spans whose parent is not there begin at the left. */
export function treeOf(spans: Spans): TreeRow[] {
  const indexOf = new Map(spans.span.map((id, index) => [id, index]))
  const children = new Map<number, number[]>()
  const roots: number[] = []
  for (const [index, parent] of spans.parent.entries()) {
    const above = parent === null ? undefined : indexOf.get(parent)
    if (above === undefined || above === index) roots.push(index)
    else {
      const siblings = children.get(above)
      if (siblings === undefined) children.set(above, [index])
      else siblings.push(index)
    }
  }
  return inOrder(spans.span.length, roots, children)
}

/** Without recursion: a chain of calls may be deeper than a stack. */
function inOrder(count: number, roots: readonly number[], children: ReadonlyMap<number, readonly number[]>): TreeRow[] {
  const rows: TreeRow[] = []
  const seen = new Set<number>()
  const walk = (root: number) => {
    const stack = [{ index: root, depth: 0 }]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (seen.has(next.index)) continue
      seen.add(next.index)
      rows.push({ ...next, below: 0 })
      const { depth } = next
      for (const child of (children.get(next.index) ?? []).toReversed()) stack.push({ index: child, depth: depth + 1 })
    }
  }
  for (const root of roots) walk(root)
  // Parents of each other are nobody's children.
  if (seen.size < count) for (let index = 0; index < count; index++) walk(index)
  countBelow(rows)
  return rows
}

function countBelow(rows: TreeRow[]): void {
  const open: { row: TreeRow; at: number }[] = []
  const close = (depth: number, at: number) => {
    for (let last = open.at(-1); last !== undefined && last.row.depth >= depth; last = open.at(-1)) {
      last.row.below = at - last.at - 1
      open.pop()
    }
  }
  for (const [at, row] of rows.entries()) {
    close(row.depth, at)
    open.push({ row, at })
  }
  close(0, rows.length)
}

/** What is left when those below closed spans are hidden. */
export function visibleRows(rows: readonly TreeRow[], closed: ReadonlySet<number>): TreeRow[] {
  if (closed.size === 0) return [...rows]
  const visible: TreeRow[] = []
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at]
    if (row === undefined) break
    visible.push(row)
    if (closed.has(row.index)) at += row.below
  }
  return visible
}

/** The spans that must be open for one to be seen. */
export function above(spans: Spans, index: number): number[] {
  const indexOf = new Map(spans.span.map((id, at) => [id, at]))
  const found = new Set<number>()
  for (let at = parentOf(index); at !== undefined && !found.has(at); at = parentOf(at)) found.add(at)
  return [...found]

  function parentOf(at: number): number | undefined {
    const parent = spans.parent[at]
    return parent == null ? undefined : indexOf.get(parent)
  }
}

/** When the last span ended, in nanoseconds since the start. */
export function lengthOf(spans: Spans): number {
  let end = 1
  for (const [index, offset] of spans.offset.entries()) end = Math.max(end, offset + (spans.duration[index] ?? 0))
  return end
}
