import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { datasetVersion } from './queries.ts'

export const getDatasetVersion = handle(contract.getDatasetVersion, (ctx, { dataset, version }) =>
  datasetVersion(ctx.db, dataset, version),
)
