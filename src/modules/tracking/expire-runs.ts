import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { createLoggedModel, recordRunLineage } from './contract.ts'
import { importLoggedModel } from './import-contract.ts'
import { dayMs, findRetention } from './retention.ts'
import * as contract from './trash-contract.ts'

/**
 * Runs that nothing was made of: neither they nor their logged models are what an entry of another module was made from,
 * such as a registered version. Later modules are not asked, because the ledger says it.
 */
export const expireRuns = handle(contract.expireRuns, async (ctx, { experiment, most }) => {
  const { expireAfterDays, keepTag } = await findRetention(ctx.db, Number(experiment))
  if (expireAfterDays === null) return { runs: 0, left: false }
  const before = new Date(ctx.clock.now() - expireAfterDays * dayMs).toISOString()
  const { rows } = await sql<{ id: string }>`
    update tracking.run set state = 'deleted', removed_at = ${ctx.clock.iso()}, removed_by = ${ctx.actor.id}
    where id in (
      select run.id from tracking.run run
      where run.experiment = ${Number(experiment)} and run.state = 'active' and run.ended_at < ${before}
        and not run.tags ? ${keepTag}
        and not exists (
          select from ledger.subject made join ledger.entry entry on entry.id = made.entry
          where made.role = 'input' and entry.operation <> all(${ownLineage}::text[])
            and (made.kind, made.id) in (
              select 'run', run.id::text
              union all
              select 'logged-model', 'm-' || replace(model.id::text, '-', '')
              from tracking.logged_model model where model.run = run.id))
      order by run.ended_at limit ${most} for update
    )
    returning id
  `.execute(ctx.db)
  ctx.entry.subject('experiment', experiment)
  for (const { id } of rows) ctx.entry.subject('run', id)
  ctx.entry.facts({ runs: rows.length, endedBefore: before })
  return { runs: rows.length, left: rows.length === most }
})

/** Operations of tracking itself that name a run or logged model as what they came from. */
const ownLineage = [createLoggedModel, importLoggedModel, recordRunLineage].map(({ name }) => name)
