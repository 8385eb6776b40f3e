import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { featureNames } from './feature-names.ts'
import { findService } from './queries.ts'
import { featureStoreFailure } from './tables.ts'

export const getFeatureService = handle(contract.getFeatureService, async (ctx, { featureService }) => {
  const row = await findService(ctx.db, featureService)
  if (row === undefined) {
    throw featureStoreFailure('feature_service_not_found', `There is no feature service ${featureService}`)
  }
  return { featureService, spec: row.spec, features: featureNames(row.spec), createdAt: row.created_at }
})
