import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findModel } from './queries.ts'
import { modelOf, registryFailure } from './tables.ts'

export const getModel = handle(contract.getModel, async (ctx, { model }) => {
  const row = await findModel(ctx.db, model)
  if (row === undefined) throw registryFailure('model_not_found', `There is no model ${model}`)
  return modelOf(row)
})
