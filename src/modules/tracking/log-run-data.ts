import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import type { Db } from '#platform/storage/database/database.ts'
import * as contract from './contract.ts'
import { logMetrics } from './log-metrics.ts'
import { activeRun, type RunRow, requireActiveRun, requireLoggedModels, runColumns, trackingFailure } from './tables.ts'

/** Clients send again what they do not know to have arrived, so whatever is there already is simply there. */
export const logRunData = handle(contract.logRunData, async (ctx, { run, metrics, params, tags }) => {
  const row = Object.keys(tags).length === 0 ? await requireActiveRun(ctx.db, run) : await addTags(ctx.db, run, tags)
  await requireLoggedModels(
    ctx.db,
    metrics.flatMap((point) => point.loggedModel ?? []),
  )
  const points = await logMetrics(ctx, { run, experiment: row.experiment }, metrics)
  await insertParams(ctx, row, params)
  ctx.entry.subject('run', run)
  ctx.entry.facts({ points, params: Object.keys(params).length, tags: Object.keys(tags).length })
  return { points }
})

async function addTags(db: Db, run: string, tags: Record<string, string>): Promise<RunRow> {
  const { rows } = await sql<RunRow>`
    update tracking.run set tags = tags || ${JSON.stringify(tags)}::jsonb where id = ${run} returning ${runColumns}
  `.execute(db)
  return activeRun(run, rows[0])
}

/** What is there is locked and told as it is, also when somebody else is just now writing it. */
async function insertParams(ctx: OperationContext, run: RunRow, params: Record<string, string>): Promise<void> {
  const keys = Object.keys(params).sort()
  if (keys.length === 0) return
  const { rows } = await sql<{ key: string; value: string }>`
    insert into tracking.param as param (workspace, run, experiment, started_at, key, value)
    select ${ctx.workspace}, ${run.id}, ${run.experiment}, ${run.started_at}, given.key, given.value
    from unnest(${keys}::text[], ${keys.map((key) => params[key])}::text[]) as given (key, value)
    on conflict (workspace, run, key) do update set value = param.value where param.value <> excluded.value
    returning key, value
  `.execute(ctx.db)
  const changed = rows.filter((row) => row.value !== params[row.key])
  if (changed.length === 0) return
  throw trackingFailure(
    'param_changed',
    changed.map(({ key, value }) => `The parameter ${key} is ${value} already, not ${params[key]}`).join('; '),
  )
}
