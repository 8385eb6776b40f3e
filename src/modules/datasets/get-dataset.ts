import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findDataset } from './queries.ts'
import { datasetOf, datasetsFailure } from './tables.ts'

export const getDataset = handle(contract.getDataset, async (ctx, { dataset }) => {
  const row = await findDataset(ctx.db, dataset)
  if (row === undefined) throw datasetsFailure('dataset_not_found', `There is no dataset ${dataset}`)
  return datasetOf(row)
})
