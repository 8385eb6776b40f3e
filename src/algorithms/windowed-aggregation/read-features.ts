import type { AggregationPlan, PlannedOutput, Slot } from './plan.ts'
import { openState } from './state.ts'

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
  const stored = openState(bytes, plan)

  plan.hops.forEach(({ hop, windows, slots }, index) => {
    const rows = stored[index]
    if (rows === undefined) return
    const stride = slots.length + 1
    const now = Math.floor(q / hop)
    const end = firstRowFrom(now, rows, stride, rows.length)
    const starts = windows.map(({ tiles }) => firstRowFrom(now - tiles, rows, stride, end))

    const totals = slots.map(({ kind }, slot) => scan(kind, rows, slot + 1, stride, starts, end))
    windows.forEach(({ outputs }, window) => {
      for (const output of outputs) features[output.position] = finish(output, totals, window)
    })
  })
  return features
}

/** Binary search before `limit`: offset of the first row whose tile is at least `tile`. */
function firstRowFrom(tile: number, rows: Float64Array, stride: number, limit: number): number {
  let low = 0
  let high = limit / stride
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((rows[middle * stride] ?? 0) < tile) low = middle + 1
    else high = middle
  }
  return low * stride
}

/** One slot over all windows: they end together, so each longer one continues where the shorter one stopped. */
function scan(
  kind: Slot['kind'],
  rows: Float64Array,
  slot: number,
  stride: number,
  starts: readonly number[],
  end: number,
): number[] {
  let total = kind === 'min' ? Infinity : kind === 'max' ? -Infinity : 0
  let stop = end
  return starts.map((start) => {
    if (kind === 'min') total = lowest(total, rows, start + slot, stop, stride)
    else if (kind === 'max') total = highest(total, rows, start + slot, stop, stride)
    else total += sum(rows, start + slot, stop, stride)
    stop = start
    return total
  })
}

function sum(rows: Float64Array, from: number, stop: number, stride: number): number {
  let total = 0
  for (let i = from; i < stop; i += stride) total += rows[i] ?? 0
  return total
}

function lowest(start: number, rows: Float64Array, from: number, stop: number, stride: number): number {
  let found = start
  for (let i = from; i < stop; i += stride) found = Math.min(found, rows[i] ?? found)
  return found
}

function highest(start: number, rows: Float64Array, from: number, stop: number, stride: number): number {
  let found = start
  for (let i = from; i < stop; i += stride) found = Math.max(found, rows[i] ?? found)
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
