import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { authorOf, requireEvaluationDataset } from './evaluation-dataset-row.ts'
import { uuidOf } from './tables.ts'

export const deleteEvaluationRecords = handle(contract.deleteEvaluationRecords, async (ctx, { dataset, records }) => {
  const { id } = await requireEvaluationDataset(ctx.db, dataset, { lock: true })
  const { rows } = await sql`
    delete from traces.evaluation_record where dataset = ${id} and id = any(${records.map(uuidOf)}::uuid[]) returning 1
  `.execute(ctx.db)
  await sql`
    update traces.evaluation_dataset set updated_at = ${ctx.clock.iso()}, updated_by = ${authorOf(ctx)} where id = ${id}
  `.execute(ctx.db)
  ctx.entry.subject('evaluation-dataset', dataset)
  ctx.entry.facts({ deleted: rows.length })
  return { deleted: rows.length }
})
