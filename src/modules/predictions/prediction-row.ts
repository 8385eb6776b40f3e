import { z } from 'zod'
import { PredictionRecord, Variant } from './contract.ts'

/** SQL for the columns that a list of predictions shows. */
export const shownColumns =
  'id, "row", "at", "receivedAt", release, variant, version, node, status, "errorCode", "latencyUs", prediction, "traceId"'

/** What DuckDB answers for them. */
export const PredictionRow = z.object({
  id: z.string(),
  row: z.number(),
  at: z.string(),
  receivedAt: z.string(),
  release: z.string().nullable(),
  variant: Variant,
  version: z.string(),
  node: z.string(),
  status: PredictionRecord.shape.status,
  errorCode: z.string().nullable(),
  latencyUs: z.number(),
  prediction: z.number().nullable(),
  traceId: z.string().nullable(),
})
