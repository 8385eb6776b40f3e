import { sql } from 'kysely'
import { canonicalJson } from '#platform/canonical-json.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findEntity } from './queries.ts'
import { type EntityRow, entityOf, featureStoreFailure } from './tables.ts'

export const putEntity = handle(contract.putEntity, async (ctx, { entity, spec }) => {
  const names = spec.joinKeys.map(({ name }) => name)
  if (new Set(names).size < names.length) {
    throw featureStoreFailure('definition_invalid', `The entity ${entity} declares a join key twice`)
  }
  const before = await findEntity(ctx.db, entity)
  ctx.requireMatch(before?.spec)
  if (before !== undefined && canonicalJson(before.spec.joinKeys) !== canonicalJson(spec.joinKeys)) {
    const { rows } = await sql<{ name: string }>`
      select name from feature_store.view where entity = ${entity} order by name
    `.execute(ctx.db)
    if (rows.length > 0) {
      throw featureStoreFailure(
        'definition_invalid',
        `The join keys of ${entity} are in use by ${rows.map(({ name }) => name).join(', ')}`,
        { hint: 'Declare a new entity and move the views to it.' },
      )
    }
  }
  const { rows } = await sql<EntityRow>`
    insert into feature_store.entity (workspace, name, spec, created_at)
    values (${ctx.workspace}, ${entity}, ${JSON.stringify(spec)}::json, ${ctx.clock.iso()})
    on conflict (workspace, name) do update set spec = excluded.spec
    returning name, spec, created_at
  `.execute(ctx.db)
  const [after] = rows
  if (after === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('entity', entity)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  return entityOf(after)
})
