import { type EntityValue, entityKey, onlineNamespace } from '#algorithms/windowed-aggregation/online-key.ts'
import { type AggregationPlan, planAggregations } from '#algorithms/windowed-aggregation/plan.ts'
import {
  type AggregationEvent,
  type AggregationState,
  applyEvents,
  decodeState,
  emptyState,
  encodeState,
} from '#algorithms/windowed-aggregation/state.ts'
import type { OnlineKey, OnlineStore } from '#platform/storage/online/online-store.ts'
import type { Cell } from './read-events.ts'
import type { ResolvedView } from './resolve-view.ts'

/** Where a view's online state is and how it is laid out. */
export interface OnlineView {
  view: ResolvedView
  plan: AggregationPlan
  namespace: string
}

export function onlineView(workspace: string, view: ResolvedView): OnlineView {
  return {
    view,
    plan: planAggregations(view.aggregations),
    namespace: onlineNamespace(workspace, view.view, view.definition),
  }
}

/** The events of each entity, by its key; an event without a key or a time belongs to none. */
export function groupByEntity(
  { view, plan }: OnlineView,
  columns: ReadonlyMap<string, readonly Cell[]>,
): Map<string, AggregationEvent[]> {
  const column = (name: string) => {
    const cells = columns.get(name)
    if (cells === undefined) throw new TypeError(`The events lack ${name}`)
    return cells
  }
  const times = column(view.timestamp)
  const keys = view.keyColumns.map(column)
  const values = plan.columns.map(column)
  const groups = new Map<string, AggregationEvent[]>()
  times.forEach((at, index) => {
    const entity = keys.map((cells) => cells[index] ?? null)
    if (typeof at !== 'number' || !entity.every(isPresent)) return
    const key = entityKey(entity)
    const event = { at, values: values.map((cells) => numberOf(cells[index] ?? null)) }
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [event])
    else group.push(event)
  })
  return groups
}

function isPresent(value: Cell): value is EntityValue {
  return value !== null
}

function numberOf(value: Cell): number | null {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : null
}

/** Reads, adds, and answers what to write; nothing is written. */
export async function addEvents(
  store: OnlineStore,
  online: OnlineView,
  groups: ReadonlyMap<string, readonly AggregationEvent[]>,
): Promise<{ puts: { key: OnlineKey; value: Uint8Array }[]; tooLate: number }> {
  const keys = [...groups.keys()].map((key) => ({ namespace: online.namespace, key }))
  const stored = await store.getMany(keys)
  let tooLate = 0
  const puts = [...groups.values()].map((events, index) => {
    const bytes = stored[index]
    const before = bytes === undefined ? emptyState(online.plan) : decodeState(bytes, online.plan)
    const applied = applyEvents(before, online.plan, events)
    tooLate += applied.tooLate
    return { key: keys[index] ?? fail(), value: encodeState(applied.state, online.plan) }
  })
  return { puts, tooLate }
}

function fail(): never {
  throw new Error('a key for each group')
}

/** Events of the same entities, added to states in memory. */
export function addToStates(
  { plan }: OnlineView,
  states: Map<string, AggregationState>,
  groups: ReadonlyMap<string, readonly AggregationEvent[]>,
): void {
  for (const [key, events] of groups) {
    states.set(key, applyEvents(states.get(key) ?? emptyState(plan), plan, events).state)
  }
}
