import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findModel } from './queries.ts'
import { type ModelRow, modelOf } from './tables.ts'

export const putModel = handle(contract.putModel, async (ctx, { model, spec }) => {
  const before = await findModel(ctx.db, model)
  ctx.requireMatch(before?.spec)
  const { rows } = await sql<ModelRow>`
    insert into registry.model (workspace, name, spec, created_at)
    values (${ctx.workspace}, ${model}, ${JSON.stringify(spec)}::jsonb, ${ctx.clock.iso()})
    on conflict (workspace, name) do update set spec = excluded.spec
    returning name, spec, last_version, created_at
  `.execute(ctx.db)
  const [after] = rows
  if (after === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('model', model)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ owner: spec.owner, tier: spec.tier })
  return modelOf(after)
})
