import { type AggregationFunction, checkAggregations, type TileAggregation } from './declaration.ts'

/** A number kept per tile. `column` indexes the plan's columns; -1 stands for the row itself. */
export interface Slot {
  kind: 'count' | 'sum' | 'min' | 'max'
  column: number
}

/** One feature of a window: where its value goes and which slots it is made from. */
export interface PlannedOutput {
  /** Position among the declarations, and so in the answer of `readFeatures`. */
  position: number
  function: AggregationFunction
  slot: number
  /** Slot with the number of values, for the functions that are null without any; -1 where not needed. */
  countSlot: number
}

export interface PlannedWindow {
  tiles: number
  outputs: PlannedOutput[]
}

/** Everything that shares a hop. A stored tile is one row of doubles: its index, then its slots. */
export interface PlannedHop {
  hop: number
  /** Shortest first, so that a longer window continues the scan of a shorter one. */
  windows: PlannedWindow[]
  slots: Slot[]
  /** Tiles behind the newest one that are kept. */
  keep: number
}

/** What is worked out once from a view's declarations and used by ingestion, serving and training alike. */
export interface AggregationPlan {
  aggregations: readonly TileAggregation[]
  /** Distinct columns; the values of an event come in this order. */
  columns: string[]
  hops: PlannedHop[]
  /** FNV-1a of the stored layout: bytes written under another layout are refused rather than misread. */
  layout: number
}

/**
 * A reader may be this many tiles behind the newest event and still find its whole window: events that come in batches,
 * or from a clock that is a little fast, must not take the past from requests that are still on their way.
 */
const GRACE_TILES = 24

/** @throws TypeError when `checkAggregations` has something to say */
export function planAggregations(aggregations: readonly TileAggregation[]): AggregationPlan {
  const problems = checkAggregations(aggregations)
  if (problems.length > 0) {
    throw new TypeError(problems.map(({ pointer, message }) => `${pointer}: ${message}`).join('; '))
  }
  const columns = [...new Set(aggregations.flatMap(({ column }) => column ?? []))]
  const hops = [...new Set(aggregations.map(({ hop }) => hop))]
    .sort((a, b) => a - b)
    .map((hop) => planHop(hop, aggregations, columns))
  const shape = JSON.stringify([columns, hops.map(({ hop, slots }) => [hop, slots])])
  return { aggregations, columns, hops, layout: fnv1a(shape) }
}

function planHop(hop: number, aggregations: readonly TileAggregation[], columns: string[]): PlannedHop {
  const slots: Slot[] = []
  const slotOf = (kind: Slot['kind'], column: number): number => {
    const found = slots.findIndex((slot) => slot.kind === kind && slot.column === column)
    return found >= 0 ? found : slots.push({ kind, column }) - 1
  }
  const windows = new Map<number, PlannedOutput[]>()

  aggregations.forEach((aggregation, position) => {
    if (aggregation.hop !== hop) return
    const column = aggregation.column === undefined ? -1 : columns.indexOf(aggregation.column)
    const averaged = aggregation.function === 'sum' || aggregation.function === 'mean'
    const kind = aggregation.function === 'mean' ? 'sum' : aggregation.function
    const tiles = aggregation.window / hop
    const outputs = windows.get(tiles) ?? []
    windows.set(tiles, outputs)
    outputs.push({
      position,
      function: aggregation.function,
      slot: slotOf(kind, column),
      countSlot: averaged ? slotOf('count', column) : -1,
    })
  })

  const sorted = [...windows].sort(([a], [b]) => a - b).map(([tiles, outputs]) => ({ tiles, outputs }))
  return { hop, windows: sorted, slots, keep: Math.max(...windows.keys()) + GRACE_TILES }
}

/** The 32-bit FNV-1a hash (draft-eastlake-fnv) of a text's UTF-16 units. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
