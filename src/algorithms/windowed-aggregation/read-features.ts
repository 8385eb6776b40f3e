import type { AggregationPlan, PlannedOutput, Slot } from './plan.ts'
import { openState, stateHeaderLength } from './state.ts'

/**
 * The features of one entity at `q` (milliseconds since the epoch), in the order of the declarations. No bytes means an
 * entity never seen. Exact for every `q` up to one hop behind the newest event; further back, tiles may be forgotten.
 *
 * Runs on every prediction: it scans the stored bytes once per slot and makes no object per tile.
 *
 * @throws AggregationStateError when the bytes were not written under this plan
 */
export function readFeatures(bytes: Uint8Array | undefined, plan: AggregationPlan, q: number): (number | null)[] {
  const features: (number | null)[] = plan.aggregations.map(({ function: name }) => (name === 'count' ? 0 : null))
  if (bytes === undefined) return features
  const view = openState(bytes, plan)
  let base = stateHeaderLength(plan)

  plan.hops.forEach(({ hop, windows, slots }, index) => {
    const stride = (slots.length + 1) * 8
    const tiles = view.getUint32(8 + index * 4, true)
    const now = Math.floor(q / hop)
    const end = firstTileFrom(view, base, stride, tiles, now)
    const starts = windows.map((window) => firstTileFrom(view, base, stride, end, now - window.tiles))

    const totals = slots.map(({ kind }, slot) => scan(kind, view, base + (slot + 1) * 8, stride, starts, end))
    windows.forEach(({ outputs }, window) => {
      for (const output of outputs) features[output.position] = finish(output, totals, window)
    })
    base += tiles * stride
  })
  return features
}

/** Binary search: position of the first of `tiles` tiles whose index is at least `tile`. */
function firstTileFrom(view: DataView, base: number, stride: number, tiles: number, tile: number): number {
  let low = 0
  let high = tiles
  while (low < high) {
    const middle = (low + high) >>> 1
    if (view.getFloat64(base + middle * stride, true) < tile) low = middle + 1
    else high = middle
  }
  return low
}

/** One slot over all windows: they end together, so each longer one continues where the shorter one stopped. */
function scan(
  kind: Slot['kind'],
  view: DataView,
  base: number,
  stride: number,
  starts: readonly number[],
  end: number,
): number[] {
  let stop = base + end * stride
  let total = kind === 'min' ? Infinity : kind === 'max' ? -Infinity : 0
  return starts.map((start) => {
    const first = base + start * stride
    if (kind === 'min') total = Math.min(total, lowest(view, first, stop, stride))
    else if (kind === 'max') total = Math.max(total, highest(view, first, stop, stride))
    else total += sum(view, first, stop, stride)
    stop = first
    return total
  })
}

function sum(view: DataView, first: number, stop: number, stride: number): number {
  let total = 0
  for (let offset = first; offset < stop; offset += stride) total += view.getFloat64(offset, true)
  return total
}

function lowest(view: DataView, first: number, stop: number, stride: number): number {
  let found = Infinity
  for (let offset = first; offset < stop; offset += stride) {
    const value = view.getFloat64(offset, true)
    if (value < found) found = value
  }
  return found
}

function highest(view: DataView, first: number, stop: number, stride: number): number {
  let found = -Infinity
  for (let offset = first; offset < stop; offset += stride) {
    const value = view.getFloat64(offset, true)
    if (value > found) found = value
  }
  return found
}

function finish(output: PlannedOutput, totals: readonly number[][], window: number): number | null {
  const total = totals[output.slot]?.[window] ?? 0
  if (output.function === 'min' || output.function === 'max') return Number.isFinite(total) ? total : null
  if (output.countSlot < 0) return total
  const count = totals[output.countSlot]?.[window] ?? 0
  if (count === 0) return null
  return output.function === 'mean' ? total / count : total
}
