import { sql } from 'kysely'
import { type AggregationState, encodeState } from '#algorithms/windowed-aggregation/state.ts'
import { sqlIdentifier, sqlString } from '#platform/analytics/sql-text.ts'
import { defineJob, type JobContext } from '#platform/job.ts'
import { MaterializeInput, registerMaterialization } from './contract.ts'
import { materialization } from './materialize-views.ts'
import { addToStates, groupByEntity, type OnlineView, onlineView } from './online-view.ts'
import type { Cell } from './read-events.ts'
import { takeTurn } from './take-turn.ts'

const eventsPerRead = 50_000
const statesPerWrite = 5_000
const dayMs = 86_400_000

/**
 * Replaces the online states of views by those that a dataset version makes. Only the events within the longest window of
 * the last one count, whatever their order, so that only these are read.
 */
export const materializeJob = defineJob({
  name: 'materialize-views',
  input: MaterializeInput,
  retries: 2,
  timeoutMs: 1_800_000,
  concurrency: 1,
  async run(ctx, input) {
    const { version, views } = await ctx.read((db) => materialization(db, input))
    const source = `read_parquet(${sqlString(await ctx.services.objects.localPath(version.digest))}, file_row_number = true)`
    const filled = []
    for (const view of views) {
      const online = onlineView(ctx.workspace, view)
      await ctx.progress(filled.length / views.length, `filling ${view.view} from ${version.ref}`)
      const { states, events } = await statesOf(ctx, online, source)
      await replaceStates(ctx, version.dataset, online, states)
      filled.push({ view: view.view, entities: states.size, events })
    }
    await ctx.run('register', registerMaterialization, { dataset: version.ref, views: filled })
    return { dataset: version.ref, views: filled }
  },
})

async function statesOf(ctx: JobContext, online: OnlineView, source: string) {
  const { analytics } = ctx.services
  const { signal } = ctx
  const time = `epoch_ms(${sqlIdentifier(online.view.timestamp)})`
  const longest = Math.max(...online.view.aggregations.map(({ window, hop }) => window + hop)) + dayMs
  const wanted = `${time} >= (SELECT max(${time}) - ${longest} FROM ${source})`
  const names = online.view.columns.map(({ name }) => name)
  const select = names.map((name) =>
    name === online.view.timestamp ? `${time} AS ${sqlIdentifier(name)}` : sqlIdentifier(name),
  )
  const states = new Map<string, AggregationState>()
  let events = 0
  for (let after = -1; ; ) {
    const { rows } = await analytics.query(
      `SELECT ${select.join(', ')}, file_row_number AS pave_row FROM ${source}
       WHERE file_row_number > ? AND ${wanted} ORDER BY file_row_number LIMIT ${eventsPerRead}`,
      [after],
      { maxRows: eventsPerRead, signal },
    )
    const columns = new Map(names.map((name) => [name, rows.map((row) => cellOf(row[name]))]))
    addToStates(online, states, groupByEntity(online, columns))
    events += rows.length
    if (rows.length < eventsPerRead) return { states, events }
    after = Number(rows.at(-1)?.['pave_row'])
  }
}

async function replaceStates(
  ctx: JobContext,
  dataset: string,
  { namespace, plan }: OnlineView,
  states: ReadonlyMap<string, AggregationState>,
): Promise<void> {
  const { online } = ctx.services
  const puts = [...states].map(([key, state]) => ({ key: { namespace, key }, value: encodeState(state, plan) }))
  await ctx.platform.transaction(ctx.workspace, async (db) => {
    await takeTurn(db, ctx.workspace, dataset)
    // Nothing else is done in it, however long the writing takes; without a row of its own it holds up no sealing.
    await sql`select set_config('idle_in_transaction_session_timeout', '0', true)`.execute(db)
    await online.deleteNamespace(namespace)
    for (let start = 0; start < puts.length; start += statesPerWrite) {
      await online.writeBatch({ puts: puts.slice(start, start + statesPerWrite) })
    }
  })
}

function cellOf(value: unknown): Cell {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}
