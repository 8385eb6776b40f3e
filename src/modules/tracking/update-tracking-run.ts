import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeRun } from './describe-runs.ts'
import { requireRestorable, stateColumns } from './remove.ts'
import { type RunRow, requireActiveRun, requireRun, runColumns } from './tables.ts'

export const updateTrackingRun = handle(contract.updateTrackingRun, async (ctx, input) => {
  const { run, name, status, endedAt, state, removeTags } = input
  const before = state === undefined ? await requireActiveRun(ctx.db, run) : await requireRun(ctx.db, run)
  if (state === 'active') await requireRestorable(ctx.db, 'run', run)
  const { rows } = await sql<RunRow>`
    update tracking.run set
      name = coalesce(${name ?? null}, name),
      status = coalesce(${status ?? null}, status),
      ended_at = coalesce(${endedAt ?? null}, ended_at),
      ${stateColumns(ctx, state)},
      tags = tags - ${removeTags}::text[]
    where id = ${run}
    returning ${runColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('a run that was just read is there')
  ctx.entry.subject('run', run)
  ctx.entry.facts({ status: row.status, state: row.state })
  ctx.entry.before(before)
  ctx.entry.after(row)
  return describeRun(ctx.db, row)
})
