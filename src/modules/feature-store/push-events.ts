import type { DatasetSpec } from '#modules/datasets/contract.ts'
import { type CompiledContract, compileContract, datasetSpec } from '#modules/datasets/queries.ts'
import { handle } from '#platform/context.ts'
import { digestOf } from '#platform/ids.ts'
import { type AppliedBatch, batchLog } from './batch-log.ts'
import * as contract from './contract.ts'
import { addEvents, groupByEntity, type OnlineView, onlineView } from './online-view.ts'
import { viewsOn } from './queries.ts'
import { type Events, readEvents } from './read-events.ts'
import { resolveView } from './resolve-view.ts'
import { featureStoreFailure, type ViewRow } from './tables.ts'
import { takeTurn } from './take-turn.ts'

const dayMs = 86_400_000

/** What is worked out once for a dataset and the views on it. */
interface Pushing {
  contract: CompiledContract
  views: OnlineView[]
  /** Columns that the views read. */
  wanted: Set<string>
}

/** The states and the batch's id are written together, before the ledger entry: a retry after a failure counts nothing twice. */
export const pushEvents = handle(contract.pushEvents, async (ctx, { dataset, batch, columns }) => {
  const { online } = ctx.services
  const {
    contract: held,
    views,
    wanted,
  } = pushingOf(ctx.workspace, await datasetSpec(ctx.db, dataset), await viewsOn(ctx.db, dataset))
  const digest = digestOf(JSON.stringify(columns ?? null))
  const events = readEvents(columns, held, wanted)
  const [first, last] = timeRange(events, views)
  if (last > ctx.clock.now() + dayMs) {
    throw featureStoreFailure('event_in_future', `An event of ${dataset} is dated ${new Date(last).toISOString()}`)
  }
  const groups = views.map((view) => groupByEntity(view, events.columns))
  const log = batchLog(online, ctx.workspace, dataset)

  await takeTurn(ctx.db, ctx.workspace, dataset)
  const earlier = await log.find(batch)
  const applied = earlier ?? (await apply())
  const repeated = earlier !== undefined
  if (applied.digest !== digest) {
    throw featureStoreFailure('batch_reused', `The batch ${batch} of ${dataset} had other events`)
  }
  ctx.entry.subject('dataset', dataset)
  ctx.entry.facts({
    batch,
    digest,
    accepted: applied.accepted,
    repeated,
    ...(first <= last && { first: new Date(first).toISOString(), last: new Date(last).toISOString() }),
  })
  const { accepted, tooLate, quarantined } = applied
  return { accepted, tooLate, quarantined, repeated }

  async function apply(): Promise<AppliedBatch> {
    const added = await Promise.all(views.map((view, index) => addEvents(online, view, groups[index] ?? new Map())))
    const applied: AppliedBatch = {
      digest,
      accepted: events.count,
      tooLate: added.reduce((sum, { tooLate }) => sum + tooLate, 0),
      quarantined: events.quarantined,
    }
    const remembered = await log.remember(batch, applied)
    await online.writeBatch({
      puts: [...added.flatMap(({ puts }) => puts), ...remembered.puts],
      deletes: remembered.deletes,
    })
    return applied
  }
})

/** Of the times at which the events became available; the first is after the last when there is none. */
function timeRange(events: Events, views: readonly OnlineView[]): [number, number] {
  let first = Number.POSITIVE_INFINITY
  let last = Number.NEGATIVE_INFINITY
  for (const name of new Set(views.map(({ view }) => view.timestamp))) {
    for (const at of events.columns.get(name) ?? []) {
      if (typeof at !== 'number') continue
      first = Math.min(first, at)
      last = Math.max(last, at)
    }
  }
  return [first, last]
}

const known = new Map<string, Pushing>()
const mostKnown = 100

/** Remembered by what it is made from: compiling expressions costs more than a small batch. */
function pushingOf(workspace: string, spec: DatasetSpec, rows: readonly ViewRow[]): Pushing {
  const key = JSON.stringify([workspace, spec, rows])
  const found = known.get(key)
  if (found !== undefined) return found
  const views = rows.map((row) => onlineView(workspace, resolveView(row.name, row.spec, row.entity_spec, spec)))
  const wanted = new Set(views.flatMap(({ view }) => view.columns.map(({ name }) => name)))
  const pushing = { contract: compileContract(spec), views, wanted }
  known.set(key, pushing)
  const [oldest] = known.keys()
  if (known.size > mostKnown && oldest !== undefined) known.delete(oldest)
  return pushing
}
