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
 *
 * @throws TypeError when the time of an event is not finite
 */
export function applyEvents(
  state: AggregationState,
  plan: AggregationPlan,
  events: readonly AggregationEvent[],
): AppliedEvents {
  if (events.some(({ at }) => !Number.isFinite(at))) throw new TypeError('The time of an event is not finite')
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

/** Doubles before the first tile: format and layout in the first, then one tile count per hop. */
function headerLength(plan: AggregationPlan): number {
  return 1 + Math.ceil(plan.hops.length / 2)
}

/**
 * u32 format, u32 layout of the plan, u32 number of tiles per hop (padded to 8 bytes), then the rows of doubles of each
 * hop; little-endian, as every machine that Node runs on for us.
 */
export function encodeState(state: AggregationState, plan: AggregationPlan): Uint8Array {
  const header = headerLength(plan)
  const doubles = new Float64Array(state.hops.reduce((length, rows) => length + rows.length, header))
  const words = new Uint32Array(doubles.buffer, 0, header * 2)
  words[0] = FORMAT
  words[1] = plan.layout
  let offset = header
  plan.hops.forEach(({ slots }, index) => {
    const rows = state.hops[index] ?? new Float64Array(0)
    words[2 + index] = rows.length / (slots.length + 1)
    doubles.set(rows, offset)
    offset += rows.length
  })
  return new Uint8Array(doubles.buffer)
}

/** @throws AggregationStateError */
export function decodeState(bytes: Uint8Array, plan: AggregationPlan): AggregationState {
  return { hops: openState(bytes, plan).map((rows) => rows.slice()) }
}

/**
 * The rows of each hop as views on the stored bytes, which are copied only if they do not start at a multiple of 8.
 *
 * @throws AggregationStateError when the bytes are no state of this plan
 */
export function openState(bytes: Uint8Array, plan: AggregationPlan): Float64Array[] {
  const header = headerLength(plan)
  if (bytes.byteLength < header * 8 || bytes.byteLength % 8 !== 0) {
    throw new AggregationStateError('The stored bytes are no aggregation state of format 1')
  }
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
  const words = new Uint32Array(buffer, byteOffset, header * 2)
  if (words[0] !== FORMAT) {
    throw new AggregationStateError('The stored bytes are no aggregation state of format 1')
  }
  if (words[1] !== plan.layout) {
    throw new AggregationStateError('The aggregation state was written under another definition of the view')
  }
  let offset = header
  const lengths = plan.hops.map(({ slots }, index) => (words[2 + index] ?? 0) * (slots.length + 1))
  const expected = lengths.reduce((sum, length) => sum + length, header) * 8
  if (byteLength !== expected) {
    throw new AggregationStateError(`The aggregation state has ${byteLength} bytes where ${expected} are due`)
  }
  return lengths.map((length) => {
    const rows = new Float64Array(buffer, byteOffset + offset * 8, length)
    offset += length
    return rows
  })
}

/**
 * When the finest tile began that holds the newest event, in milliseconds since the epoch; undefined without events.
 *
 * @throws AggregationStateError when the bytes are no state of this plan
 */
export function newestTile(bytes: Uint8Array, plan: AggregationPlan): number | undefined {
  const tiles = openState(bytes, plan).flatMap((rows, index) => {
    const { hop = 0, slots = [] } = plan.hops[index] ?? {}
    const tile = rows[rows.length - slots.length - 1]
    return tile === undefined ? [] : [tile * hop]
  })
  // A finer tile that holds the event begins later than a coarser one.
  return tiles.length === 0 ? undefined : Math.max(...tiles)
}
