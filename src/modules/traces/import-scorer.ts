import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './import-contract.ts'
import { type ScorerRow, scorerColumns, scorerOf } from './scorer-row.ts'
import { keepable, openExperiment, tracesFailure } from './tables.ts'

/** A scorer that has the name already keeps its id; a version that is there stays as it is. */
export const importScorer = handle(contract.importScorer, async (ctx, input) => {
  const experiment = await openExperiment(ctx, input.experiment)
  const name = keepable(input.name)
  const serialized = keepable(input.serialized)
  await sql`select pg_advisory_xact_lock(hashtextextended(${`scorer ${ctx.workspace} ${experiment} ${name}`}, 0))`.execute(
    ctx.db,
  )
  await sql`
    insert into traces.scorer (workspace, experiment, name, version, id, serialized, created_at)
    select ${ctx.workspace}::uuid, ${experiment}::int, ${name}::text, ${input.version}::int,
      coalesce(min(id::text)::uuid, ${input.scorer}::uuid), ${serialized}, ${input.createdAt}::timestamptz
    from traces.scorer where experiment = ${experiment} and name = ${name}
    on conflict do nothing
  `.execute(ctx.db)
  const { rows } = await sql<ScorerRow>`
    select ${scorerColumns} from traces.scorer
    where experiment = ${experiment} and name = ${name} and version = ${input.version}
  `.execute(ctx.db)
  const [row] = rows
  if (row?.serialized !== serialized) {
    throw tracesFailure('scorer_version_taken', `${name}@${input.version} has another content in ${input.experiment}`)
  }
  ctx.entry.subject('scorer', `${experiment}/${name}@${row.version}`)
  ctx.entry.subject('experiment', input.experiment)
  ctx.entry.after({ serialized })
  return scorerOf(row)
})
