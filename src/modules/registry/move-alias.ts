import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import { holdAlias } from './hold-alias.ts'
import { resolveVersion } from './queries.ts'

interface AliasMove {
  model: string
  alias: string
  /** Null takes it away. */
  to: number | null
  /** Where it must be now; anywhere when left out. */
  from?: number | null | undefined
  reason: string
  /** Entry of the move that this one takes back. */
  undoes?: string
}

/** Moves an alias, and enters from where, to where and why: that is all the history of it that there is. */
export async function moveAlias(ctx: OperationContext, move: AliasMove): Promise<{ from: number | null }> {
  const { model, alias, to, reason, undoes } = move
  if (to !== null) await resolveVersion(ctx.db, `${model}@${to}`)
  const from = await holdAlias(ctx, model, alias, move.from)
  if (to === null) {
    await sql`delete from registry.alias where model = ${model} and alias = ${alias}`.execute(ctx.db)
  } else {
    await sql`
      insert into registry.alias (workspace, model, alias, version) values (${ctx.workspace}, ${model}, ${alias}, ${to})
      on conflict (workspace, model, alias) do update set version = excluded.version
    `.execute(ctx.db)
  }
  ctx.entry.subject('model', model)
  const version = to ?? from
  if (version !== null) ctx.entry.subject('version', `${model}@${version}`)
  ctx.entry.facts({ alias, from, to, ...(reason !== '' && { reason }), ...(undoes !== undefined && { undoes }) })
  return { from }
}
