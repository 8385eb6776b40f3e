import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { openExperiment } from './open-experiment.ts'
import { describeRetention, findRetention } from './retention.ts'
import * as contract from './trash-contract.ts'

export const putRetention = handle(contract.putRetention, async (ctx, { experiment, ...retention }) => {
  const id = await openExperiment(ctx, experiment)
  ctx.requireMatch(await describeRetention(ctx.db, id))
  ctx.entry.before(await findRetention(ctx.db, id))
  await sql`
    insert into tracking.retention (workspace, experiment, trash_days, expire_days, keep_tag, set_by, set_at)
    values (${ctx.workspace}, ${id}, ${retention.trashDays}, ${retention.expireAfterDays}, ${retention.keepTag},
            ${ctx.actor.onBehalfOf ?? ctx.actor.id}, ${ctx.clock.iso()})
    on conflict (workspace, experiment) do update
    set trash_days = excluded.trash_days, expire_days = excluded.expire_days, keep_tag = excluded.keep_tag,
        set_by = excluded.set_by, set_at = excluded.set_at
  `.execute(ctx.db)
  ctx.entry.subject('experiment', experiment)
  ctx.entry.after(retention)
  ctx.entry.facts(retention)
  return describeRetention(ctx.db, id)
})
