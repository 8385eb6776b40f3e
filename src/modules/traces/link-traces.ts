import { sql } from 'kysely'
import { getTrackingRun } from '#modules/tracking/contract.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { tracesFailure, uuidOf } from './tables.ts'

export const linkTraces = handle(contract.linkTraces, async (ctx, { run, traces }) => {
  await ctx.callAsSystem(getTrackingRun, { run })
  const ids = [...new Set(traces.map(uuidOf))]
  const { rows: found } = await sql<{ id: string }>`
    select id from traces.trace where id = any(${ids}::uuid[]) for key share
  `.execute(ctx.db)
  const missing = traces.find((trace) => !found.some(({ id }) => id === uuidOf(trace)))
  if (missing !== undefined) throw tracesFailure('trace_not_found', `There is no trace ${missing}`)
  const { rows } = await sql`
    insert into traces.run_link (workspace, run, trace)
    select ${ctx.workspace}::uuid, ${run}::uuid, trace from unnest(${ids}::uuid[]) as given(trace)
    on conflict do nothing returning 1
  `.execute(ctx.db)
  ctx.entry.input('run', run)
  for (const trace of traces) ctx.entry.subject('trace', trace)
  return { run, linked: rows.length }
})
