import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { evaluationDatasetOf, requireEvaluationDataset } from './evaluation-dataset-row.ts'

export const getEvaluationDataset = handle(contract.getEvaluationDataset, async (ctx, { dataset }) =>
  evaluationDatasetOf(await requireEvaluationDataset(ctx.db, dataset)),
)
