import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { evaluationDatasetOf, requireEvaluationDataset } from './evaluation-dataset-row.ts'

export const deleteEvaluationDataset = handle(contract.deleteEvaluationDataset, async (ctx, { dataset }) => {
  const before = await requireEvaluationDataset(ctx.db, dataset, { lock: true })
  await sql`delete from traces.evaluation_dataset where id = ${before.id}`.execute(ctx.db)
  ctx.entry.subject('evaluation-dataset', dataset)
  ctx.entry.before(evaluationDatasetOf(before))
  return { deleted: true }
})
