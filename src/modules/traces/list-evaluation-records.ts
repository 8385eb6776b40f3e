import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import type { EvaluationRecord } from './contract.ts'
import * as contract from './contract.ts'
import { requireEvaluationDataset } from './evaluation-dataset-row.ts'
import { prefixed } from './tables.ts'

interface Row extends Pick<EvaluationRecord, 'inputs' | 'outputs' | 'expectations' | 'tags' | 'source'> {
  id: string
  position: number
  created_at: string
  updated_at: string
  created_by: string
  updated_by: string
}

export const listEvaluationRecords = handle(contract.listEvaluationRecords, async (ctx, { dataset, limit, cursor }) => {
  const { id } = await requireEvaluationDataset(ctx.db, dataset)
  const [after] = decodeCursor(cursor, 1) ?? []
  const { rows } = await sql<Row>`
    select id, position, inputs, outputs, expectations, tags, source, created_at, updated_at, created_by, updated_by
    from traces.evaluation_record
    where dataset = ${id} ${after === undefined ? sql`` : sql`and position > ${after}::int`}
    order by position limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(
    rows,
    limit,
    (row) => ({
      record: prefixed('dr', row.id),
      inputs: row.inputs,
      outputs: row.outputs,
      expectations: row.expectations,
      tags: row.tags,
      source: row.source,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      createdBy: row.created_by,
      updatedBy: row.updated_by,
    }),
    (row) => [row.position],
  )
})
