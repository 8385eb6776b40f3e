import { datasetSpec } from '#modules/datasets/queries.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findView } from './queries.ts'
import { resolveView } from './resolve-view.ts'
import { featureStoreFailure } from './tables.ts'

export const getFeatureView = handle(contract.getFeatureView, async (ctx, { view }) => {
  const row = await findView(ctx.db, view)
  if (row === undefined) throw featureStoreFailure('feature_view_not_found', `There is no feature view ${view}`)
  const { definition } = resolveView(view, row.spec, row.entity_spec, await datasetSpec(ctx.db, row.spec.dataset))
  return { view, spec: row.spec, version: row.version, definition, createdAt: row.created_at }
})
