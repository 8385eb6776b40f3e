import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { loggedModelId, trackingFailure, uuidOfLoggedModel } from './tables.ts'
import * as contract from './trash-contract.ts'

export const purgeTrash = handle(contract.purgeTrash, async (ctx, { experiments, runs, loggedModels }) => {
  const { rows } = await sql<{ id: string }>`
    select id::text as id from tracking.experiment
    where id = any(${experiments.map(Number)}::int[]) and removed_at is not null
    union all
    select id::text from tracking.run where id = any(${runs}::uuid[]) and removed_at is not null
    union all
    select id::text from tracking.logged_model
    where id = any(${loggedModels.map(uuidOfLoggedModel)}::uuid[]) and removed_at is not null
  `.execute(ctx.db)
  const there = new Set(rows.flatMap(({ id }) => (id.length === 36 ? [id, loggedModelId(id)] : [id])))
  const absent = [...experiments, ...runs, ...loggedModels].filter((id) => !there.has(id))
  if (absent.length > 0) throw trackingFailure('not_in_trash', `Not in the trash: ${absent.slice(0, 10).join(', ')}`)
  for (const experiment of experiments) ctx.entry.subject('experiment', experiment)
  for (const run of runs) ctx.entry.subject('run', run)
  for (const model of loggedModels) ctx.entry.subject('logged-model', model)
  return { job: await ctx.startJob('purge-trash', { experiments, runs, loggedModels }) }
})
