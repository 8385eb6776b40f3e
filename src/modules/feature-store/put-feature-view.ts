import { sql } from 'kysely'
import { datasetSpec } from '#modules/datasets/queries.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findEntity, findView } from './queries.ts'
import { resolveView } from './resolve-view.ts'
import { featureStoreFailure } from './tables.ts'

/** A changed definition is a new version; the values of the old one stay where they are and are read no more. */
export const putFeatureView = handle(contract.putFeatureView, async (ctx, { view, spec }) => {
  const before = await findView(ctx.db, view)
  ctx.requireMatch(before?.spec)
  const entity = await findEntity(ctx.db, spec.entity)
  if (entity === undefined) throw featureStoreFailure('entity_not_found', `There is no entity ${spec.entity}`)
  const { definition } = resolveView(view, spec, entity.spec, await datasetSpec(ctx.db, spec.dataset))
  const { rows: last } = await sql<{ version: number; definition: string }>`
    select version, definition from feature_store.view_version where view = ${view} order by version desc limit 1
  `.execute(ctx.db)
  const unchanged = last[0]?.definition === definition
  const version = (last[0]?.version ?? 0) + (unchanged ? 0 : 1)
  const { rows } = await sql<{ created_at: string }>`
    insert into feature_store.view (workspace, name, entity, dataset, spec, version, created_at)
    values (${ctx.workspace}, ${view}, ${spec.entity}, ${spec.dataset}, ${JSON.stringify(spec)}::json, ${version}, ${ctx.clock.iso()})
    on conflict (workspace, name) do update
    set entity = excluded.entity, dataset = excluded.dataset, spec = excluded.spec, version = excluded.version
    returning created_at
  `.execute(ctx.db)
  if (!unchanged) {
    await sql`
      insert into feature_store.view_version (workspace, view, version, spec, definition, created_at)
      values (${ctx.workspace}, ${view}, ${version}, ${JSON.stringify(spec)}::json, ${definition}, ${ctx.clock.iso()})
    `.execute(ctx.db)
  }
  ctx.entry.subject('feature-view', `${view}@${version}`)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ definition, version })
  return { view, spec, version, definition, createdAt: rows[0]?.created_at ?? ctx.clock.iso() }
})
