import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findEntity } from './queries.ts'
import { entityOf, featureStoreFailure } from './tables.ts'

export const getEntity = handle(contract.getEntity, async (ctx, { entity }) => {
  const row = await findEntity(ctx.db, entity)
  if (row === undefined) throw featureStoreFailure('entity_not_found', `There is no entity ${entity}`)
  return entityOf(row)
})
