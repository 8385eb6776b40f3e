import type { AggregationPlan, PlannedHop, Slot } from './plan.ts'

/** One entity's tiles: per hop of the plan, rows of `1 + slots` doubles (tile index, slots), sorted by tile. */
export interface AggregationState {
  hops: Float64Array[]
}

export interface AggregationEvent {
  /** When the event became available, in milliseconds since the epoch. */
  at: number
  /** One value per column of the plan, in the plan's order; null when missing. */
  values: readonly (number | null)[]
}

export interface AppliedEvents {
  state: AggregationState
  /** Events that fell, for at least one hop, into a tile that is no longer kept. */
  tooLate: number
}

/** Stored bytes that are no state of this plan: another format, another layout, or cut short. */
export class AggregationStateError extends Error {
  readonly code = 'aggregation_state_mismatch'
}

/** First word of the stored bytes: format 1. */
const FORMAT = 0x50_41_54_01

const identities: Record<Slot['kind'], number> = { count: 0, sum: 0, min: Infinity, max: -Infinity }

export function emptyState(plan: AggregationPlan): AggregationState {
  return { hops: plan.hops.map(() => new Float64Array(0)) }
}

/**
 * Adds events to their tiles, in any order, and forgets tiles that the longest window behind the newest event no longer
 * reaches. The given state is left as it was. An event counts as often as it is given: the caller drops replays. It
 * also bounds how far in the future an event may lie, since a newer event makes others too late.
 */
export function applyEvents(
  state: AggregationState,
  plan: AggregationPlan,
  events: readonly AggregationEvent[],
): AppliedEvents {
  const late = new Set<AggregationEvent>()
  const hops = plan.hops.map((hop, index) => applyToHop(state.hops[index] ?? new Float64Array(0), hop, events, late))
  return { state: { hops }, tooLate: late.size }
}

function applyToHop(
  stored: Float64Array,
  { hop, slots, keep }: PlannedHop,
  events: readonly AggregationEvent[],
  late: Set<AggregationEvent>,
): Float64Array {
  const stride = slots.length + 1
  let newest = stored[stored.length - stride] ?? -Infinity
  for (const { at } of events) newest = Math.max(newest, Math.floor(at / hop))
  const oldest = newest - keep

  const rows = new Map<number, Float64Array>()
  for (let start = 0; start < stored.length; start += stride) {
    const row = stored.slice(start, start + stride)
    const tile = row[0] ?? 0
    if (tile >= oldest) rows.set(tile, row)
  }
  for (const event of events) {
    const tile = Math.floor(event.at / hop)
    if (tile < oldest) {
      late.add(event)
      continue
    }
    let row = rows.get(tile)
    if (row === undefined) {
      row = Float64Array.of(tile, ...slots.map(({ kind }) => identities[kind]))
      rows.set(tile, row)
    }
    slots.forEach(addTo(row, event))
  }

  const sorted = [...rows.values()].sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
  const result = new Float64Array(sorted.length * stride)
  sorted.forEach((row, index) => {
    result.set(row, index * stride)
  })
  return result
}

function addTo(row: Float64Array, event: AggregationEvent) {
  return ({ kind, column }: Slot, index: number): void => {
    const value = column < 0 ? 1 : event.values[column]
    if (value === null || value === undefined || !Number.isFinite(value)) return
    const held = row[index + 1] ?? 0
    if (kind === 'count') row[index + 1] = held + 1
    else if (kind === 'sum') row[index + 1] = held + value
    else if (kind === 'min') row[index + 1] = Math.min(held, value)
    else row[index + 1] = Math.max(held, value)
  }
}

/** Bytes before the first tile: format, layout, one tile count per hop, padded so that doubles are aligned. */
function headerLength(plan: AggregationPlan): number {
  return 8 + Math.ceil(plan.hops.length / 2) * 8
}

/**
 * Little-endian: u32 format, u32 layout of the plan, u32 number of tiles per hop (padded to 8 bytes), then the rows of
 * doubles of each hop.
 */
export function encodeState(state: AggregationState, plan: AggregationPlan): Uint8Array {
  const header = headerLength(plan)
  const doubles = state.hops.reduce((sum, rows) => sum + rows.length, 0)
  const view = new DataView(new ArrayBuffer(header + doubles * 8))
  view.setUint32(0, FORMAT, true)
  view.setUint32(4, plan.layout, true)
  let offset = header
  plan.hops.forEach(({ slots }, index) => {
    const rows = state.hops[index] ?? new Float64Array(0)
    view.setUint32(8 + index * 4, rows.length / (slots.length + 1), true)
    for (const value of rows) {
      view.setFloat64(offset, value, true)
      offset += 8
    }
  })
  return new Uint8Array(view.buffer)
}

/** @throws AggregationStateError */
export function decodeState(bytes: Uint8Array, plan: AggregationPlan): AggregationState {
  const view = openState(bytes, plan)
  let offset = headerLength(plan)
  const hops = plan.hops.map(({ slots }, index) => {
    const rows = new Float64Array(view.getUint32(8 + index * 4, true) * (slots.length + 1))
    for (let i = 0; i < rows.length; i++, offset += 8) rows[i] = view.getFloat64(offset, true)
    return rows
  })
  return { hops }
}

/** A view on stored bytes after checking that they are a state of this plan. */
export function openState(bytes: Uint8Array, plan: AggregationPlan): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let expected = headerLength(plan)
  if (view.byteLength < expected || view.getUint32(0, true) !== FORMAT) {
    throw new AggregationStateError('The stored bytes are no aggregation state of format 1')
  }
  if (view.getUint32(4, true) !== plan.layout) {
    throw new AggregationStateError('The aggregation state was written under another definition of the view')
  }
  for (let i = 0; i < plan.hops.length; i++) {
    expected += view.getUint32(8 + i * 4, true) * ((plan.hops[i]?.slots.length ?? 0) + 1) * 8
  }
  if (view.byteLength !== expected) {
    throw new AggregationStateError(`The aggregation state has ${view.byteLength} bytes where ${expected} are due`)
  }
  return view
}

export { headerLength as stateHeaderLength }
