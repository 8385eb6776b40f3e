import { createHash } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { DatasetSchema, EvaluationDataset } from './contract.ts'
import { prefixed, tracesFailure, uuidOf } from './tables.ts'

export interface EvaluationDatasetRow {
  id: string
  name: string
  tags: Record<string, string>
  experiments: number[]
  schema: DatasetSchema | null
  records: number
  created_at: string
  updated_at: string
  created_by: string
  updated_by: string
}

/** Of `traces.evaluation_dataset dataset`. */
export const evaluationDatasetColumns: RawBuilder<unknown> = sql`
  dataset.id, dataset.name, dataset.tags, dataset.experiments, dataset.schema, dataset.created_at, dataset.updated_at,
  dataset.created_by, dataset.updated_by,
  (select count(*) from traces.evaluation_record record
   where record.workspace = dataset.workspace and record.dataset = dataset.id) as records`

export function evaluationDatasetOf(row: EvaluationDatasetRow): EvaluationDataset {
  return {
    dataset: prefixed('d', row.id),
    name: row.name,
    tags: row.tags,
    // As MLflow computes it, so that a copied dataset keeps its digest.
    digest: createHash('sha256')
      .update(`${row.name}:${Date.parse(row.updated_at)}`)
      .digest('hex')
      .slice(0, 8),
    experiments: row.experiments.map(String),
    records: row.records,
    schema: row.schema,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdBy: row.created_by,
    updatedBy: row.updated_by,
  }
}

export async function requireEvaluationDataset(
  db: Db,
  dataset: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<EvaluationDatasetRow> {
  const { rows } = await sql<EvaluationDatasetRow>`
    select ${evaluationDatasetColumns} from traces.evaluation_dataset dataset
    where dataset.id = ${uuidOf(dataset)} ${lock ? sql`for no key update` : sql``}
  `.execute(db)
  if (rows[0] !== undefined) return rows[0]
  throw tracesFailure('evaluation_dataset_not_found', `There is no evaluation dataset ${dataset}`)
}

export const authorOf = (ctx: OperationContext): string => ctx.actor.onBehalfOf ?? ctx.actor.id
