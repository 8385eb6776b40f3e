import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Digest, Instant, listInput, Name, pageOf, VersionRef } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

export const Variant = z.enum(['primary', 'canary', 'shadow'])
export type Variant = z.infer<typeof Variant>

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
  variant: Variant,
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

/** Bytes of one chunk of records, and of one call with labels. */
export const largestChunk = 8 * 1024 * 1024

/** Part of a file's path, so it holds nothing that a path would interpret. */
const FileName = z
  .string()
  .max(120)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dots, dashes and underscores')

export const recordPredictions = operation({
  name: 'record-predictions',
  method: 'POST',
  path: '/api/v1/prediction-chunks',
  summary: 'Take a chunk of prediction records from a node, once however often it is sent',
  effect: 'ingest',
  durability: 'durable',
  permission: { verb: 'prediction:record', on: ['environment'] },
  errors: ['chunk_damaged', 'chunk_conflict', 'prediction_record_invalid'],
  bodyLimit: 2 * largestChunk,
  input: z.object({
    node: FileName,
    /** Of every record in it; a node of one environment has to name it. */
    environment: Name.optional(),
    chunk: FileName,
    /** Of the UTF-8 bytes of `lines`. */
    digest: Digest,
    /** NDJSON of prediction records. */
    lines: z.string().max(largestChunk),
  }),
  output: z.object({ node: z.string(), chunk: z.string(), rows: z.int(), duplicate: z.boolean() }),
})

const onEndpoint = { environment: Name, endpoint: Name }

/** Event time, half-open. */
const span = { from: Instant.optional(), to: Instant.optional() }

const Label = z.object({
  id: z.string().min(1).max(200),
  row: z.int().min(0).default(0),
  /** What turned out to be true: 1 or 0 for a binary target. */
  value: z.number(),
  /** When it became known. */
  at: Instant,
})

export const recordLabels = operation({
  name: 'record-labels',
  method: 'POST',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/labels',
  summary: 'Tell what came true of earlier predictions; a label that became known later restates an earlier one',
  effect: 'ingest',
  durability: 'durable',
  permission: { verb: 'label:create', on: ['environment', 'endpoint'] },
  errors: [],
  bodyLimit: largestChunk,
  input: z.object({ ...onEndpoint, labels: z.array(Label).min(1).max(100_000) }),
  output: z.object({ accepted: z.int() }),
})

/** Live counts of one feature or of the prediction, over rows with status `ok`. */
export const LiveCounts = z.object({
  /** Over the edges of the version's own profile: bin `i` is `[edges[i-1], edges[i])`. */
  counts: z.array(z.int()),
  nulls: z.int(),
  /** Of the values that are not null. */
  sum: z.number(),
})
export type LiveCounts = z.infer<typeof LiveCounts>

export const predictionStatistics = operation({
  name: 'prediction-statistics',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/prediction-statistics',
  summary: 'Count live traffic per version and variant: rows, errors, latency, distributions of inputs and predictions',
  effect: 'read',
  permission: { verb: 'prediction:read', on: ['environment', 'endpoint'] },
  errors: [],
  input: z.object({ ...onEndpoint, version: VersionRef.optional(), variant: Variant.optional(), ...span }),
  output: z.object({
    /** Newest event time seen; null before the first record. */
    watermark: Instant.nullable(),
    items: z.array(
      z.object({
        version: z.string(),
        variant: Variant,
        /** Whole hours of event time. */
        from: Instant,
        to: Instant,
        rows: z.int(),
        errors: z.int(),
        fallbacks: z.int(),
        latencyMs: z.object({ p50: z.number().nullable(), p99: z.number().nullable(), max: z.number() }),
        features: z.record(z.string(), LiveCounts),
        prediction: LiveCounts,
      }),
    ),
  }),
})

export const predictionHistory = operation({
  name: 'prediction-history',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/prediction-history',
  summary:
    'Show live traffic over event time, by the hour or day, per version and variant: rows, errors, latency, mean score',
  effect: 'read',
  permission: { verb: 'prediction:read', on: ['environment', 'endpoint'] },
  errors: [],
  input: z.object({
    ...onEndpoint,
    every: z.enum(['hour', 'day']).default('hour'),
    /** So many hours or days, the one with `to` included. */
    last: z.int().min(1).max(1_000).default(48),
    /** The newest record unless given. */
    to: Instant.optional(),
  }),
  output: z.object({
    /** Newest event time seen; null before the first record. */
    watermark: Instant.nullable(),
    /** Oldest first; hours without traffic have no item. */
    items: z.array(
      z.object({
        /** Start of the hour or day. */
        at: Instant,
        version: z.string(),
        variant: Variant,
        rows: z.int(),
        errors: z.int(),
        fallbacks: z.int(),
        latencyMs: z.object({ p50: z.number().nullable(), p99: z.number().nullable() }),
        /** Of rows with status `ok`; null without any. */
        meanPrediction: z.number().nullable(),
      }),
    ),
  }),
})

export const Performance = z.object({
  /** Start of the day or week; null when the span is measured whole. */
  at: Instant.nullable(),
  version: z.string(),
  variant: Variant,
  /** Rows with status `ok`. */
  predictions: z.int(),
  labelled: z.int(),
  /** Share of predictions with a label; 0 without predictions. */
  coverage: z.number(),
  /** Null with one class only. */
  auc: z.number().nullable(),
  /** 95 % confidence. */
  aucInterval: z.object({ low: z.number(), high: z.number() }).nullable(),
  brier: z.number().nullable(),
  logLoss: z.number().nullable(),
  /** Expected calibration error over ten bins of equal count. */
  calibrationError: z.number().nullable(),
  /** Of labelled rows, as the positive rate is. */
  meanPrediction: z.number().nullable(),
  positiveRate: z.number().nullable(),
})
export type Performance = z.infer<typeof Performance>

export const realisedPerformance = operation({
  name: 'realised-performance',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/performance',
  summary: 'Measure served predictions against the labels known by now, per version and variant',
  effect: 'read',
  permission: { verb: 'prediction:read', on: ['environment', 'endpoint'] },
  errors: [],
  input: z.object({
    ...onEndpoint,
    version: VersionRef.optional(),
    /** Primary and canary unless named. */
    variant: Variant.optional(),
    ...span,
    /** Apart for each of them, oldest first. */
    every: z.enum(['day', 'week']).optional(),
  }),
  output: z.object({ items: z.array(Performance) }),
})

const Prediction = z.object({
  id: z.string(),
  row: z.int(),
  at: Instant,
  receivedAt: Instant,
  release: z.string().nullable(),
  variant: Variant,
  version: z.string(),
  node: z.string(),
  status: PredictionRecord.shape.status,
  errorCode: z.string().nullable(),
  latencyUs: z.int(),
  prediction: z.number().nullable(),
  traceId: z.string().nullable(),
})

/** `origin=ORD&destination=LGA`: fields of the request, percent-encoded like a query. */
const RequestFilter = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^=&]+=[^&]*(&[^=&]+=[^&]*)*$/, 'write field=value, several joined by &')

const ListedPrediction = Prediction.extend({
  /** The newest label of the row, and when it was known; null while there is none. */
  label: z.object({ value: z.number(), at: Instant }).nullable(),
})
export type ListedPrediction = z.infer<typeof ListedPrediction>

export const listPredictions = operation({
  name: 'list-predictions',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/predictions',
  summary: "List an endpoint's predictions, newest event time first",
  effect: 'read',
  permission: { verb: 'prediction:read', on: ['environment', 'endpoint'] },
  errors: [],
  input: z.object({
    ...onEndpoint,
    ...listInput,
    version: VersionRef.optional(),
    variant: Variant.optional(),
    status: PredictionRecord.shape.status.optional(),
    id: z.string().min(1).max(200).optional().describe('The id of a request'),
    request: RequestFilter.optional().describe('Only requests with these fields: origin=ORD&destination=LGA'),
    labelled: z.boolean().optional().describe('Only rows with a label, or only rows without'),
    ...span,
  }),
  output: pageOf(ListedPrediction),
})

const AnsweredPrediction = Prediction.extend({
  /** Of the serving plan that answered. */
  generation: z.int(),
  request: PredictionRecord.shape.request,
  features: PredictionRecord.shape.features,
})
export type AnsweredPrediction = z.infer<typeof AnsweredPrediction>

export const getPrediction = operation({
  name: 'get-prediction',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/predictions/:prediction',
  summary: 'Read one prediction with its request, its features and its label; every variant that answered it',
  effect: 'read',
  permission: { verb: 'prediction:read', on: ['environment', 'endpoint'] },
  errors: ['prediction_not_found'],
  input: z.object({ ...onEndpoint, prediction: z.string().min(1).max(200), row: z.int().min(0).default(0) }),
  output: z.object({
    items: z.array(AnsweredPrediction),
    label: z.object({ value: z.number(), at: Instant }).nullable(),
  }),
})

export const compactPredictions = operation({
  name: 'compact-predictions',
  method: 'POST',
  path: '/api/v1/prediction-compactions',
  summary: 'Turn chunks of predictions and labels into Parquet by endpoint and day',
  effect: 'write',
  permission: { verb: 'prediction-file:replace', on: [] },
  errors: [],
  input: z.object({}),
  output: z.object({ job: z.uuid() }),
  job: true,
})

/** A file that readers of predictions or labels read; `path` is relative to the directory of predictions. */
export const StoredFile = z.object({
  kind: z.enum(['prediction', 'label']),
  format: z.enum(['ndjson', 'parquet']),
  path: z.string().max(500),
  /** `environment/endpoint`. */
  endpoints: z.array(z.string()).max(10_000),
  rows: z.int().min(0),
  /** Event times of predictions, known times of labels. */
  firstAt: Instant,
  lastAt: Instant,
})
export type StoredFile = z.infer<typeof StoredFile>

export const replacePredictionFiles = operation({
  name: 'replace-prediction-files',
  method: 'POST',
  path: '/api/v1/prediction-files',
  summary: 'Swap chunks for the Parquet files made of them; the compaction job does this by itself',
  effect: 'write',
  permission: { verb: 'prediction-file:replace', on: [] },
  errors: ['files_changed'],
  bodyLimit: largestChunk,
  input: z.object({
    retire: z.array(z.uuid()).max(100_000),
    add: z.array(StoredFile).max(100_000),
    /** Retired before, and deleted from disk. */
    forget: z.array(z.uuid()).max(100_000),
  }),
  output: z.object({ retired: z.int(), added: z.int() }),
})

export const errors = defineErrors({
  chunk_damaged: {
    status: 422,
    summary: 'The bytes of a chunk are not those that its digest names.',
    hint: 'Send the chunk again; if it stays damaged, the file on the node is.',
  },
  chunk_conflict: {
    status: 422,
    summary: 'Another chunk of this node has the same name and other bytes.',
    hint: 'Give each chunk a name of its own; a node whose disk was copied needs a new name.',
  },
  prediction_record_invalid: {
    status: 422,
    summary: 'A line of a chunk is not a prediction record.',
    hint: 'The message names the line and the field; nothing of the chunk was kept.',
  },
  prediction_not_found: {
    status: 404,
    summary: 'The endpoint recorded no prediction under this id and row.',
    hint: 'Records arrive within seconds of the answer; list what is there with `pave list-predictions`.',
  },
  files_changed: {
    status: 409,
    summary: 'Another compaction swapped some of these files first.',
    hint: 'Nothing was lost; run `pave compact-predictions` again if chunks are left.',
  },
})
