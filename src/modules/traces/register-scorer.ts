import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { type ScorerRow, scorerColumns, scorerOf } from './scorer-row.ts'
import { keepable, openExperiment } from './tables.ts'

/** All versions under one name share its first one's id. */
export const registerScorer = handle(contract.registerScorer, async (ctx, input) => {
  const experiment = await openExperiment(ctx, input.experiment)
  const name = keepable(input.name)
  await sql`select pg_advisory_xact_lock(hashtextextended(${`scorer ${ctx.workspace} ${experiment} ${name}`}, 0))`.execute(
    ctx.db,
  )
  const { rows } = await sql<ScorerRow>`
    insert into traces.scorer (workspace, experiment, name, version, id, serialized, created_at)
    select ${ctx.workspace}::uuid, ${experiment}::int, ${name}::text, coalesce(max(version), 0) + 1,
      coalesce(min(id::text)::uuid, ${ctx.ids.next()}::uuid), ${keepable(input.serialized)}, ${ctx.clock.iso()}::timestamptz
    from traces.scorer where experiment = ${experiment} and name = ${name}
    returning ${scorerColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an insert answers its row')
  ctx.entry.subject('scorer', `${experiment}/${name}@${row.version}`)
  ctx.entry.subject('experiment', input.experiment)
  ctx.entry.after({ serialized: row.serialized })
  return scorerOf(row)
})
