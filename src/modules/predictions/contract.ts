import { z } from 'zod'

/**
 * One answered request row, in the final format: one JSON line in a node's append-only segments, one row in Parquet
 * after compaction. Numbers that JSON cannot hold are null.
 */
export const PredictionRecord = z.object({
  /** The request's `id`, or one that the node gave; with `row` it names the prediction that a label belongs to. */
  id: z.string().max(200),
  row: z.int().min(0),
  /** Event time of the request. */
  at: z.iso.datetime(),
  receivedAt: z.iso.datetime(),
  workspace: z.uuid(),
  environment: z.string(),
  endpoint: z.string(),
  release: z.string().nullable(),
  variant: z.enum(['primary', 'canary', 'shadow']),
  /** `model@version`. */
  version: z.string(),
  generation: z.int(),
  node: z.string(),
  status: z.enum(['ok', 'fallback', 'error']),
  errorCode: z.string().nullable(),
  /** Microseconds from the request's last byte to the answer's first. */
  latencyUs: z.int().min(0),
  /** Request fields as received. */
  request: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** Model inputs by feature name, after look-up and on-demand computing. */
  features: z.record(z.string(), z.number().nullable()),
  /** Value of the version's output; null when there is none. */
  prediction: z.number().nullable(),
  traceId: z.string().nullable(),
})

export type PredictionRecord = z.infer<typeof PredictionRecord>
