import { z } from 'zod'
import type { Span } from '#modules/traces/contract.ts'
import type { importTraces } from '#modules/traces/import-contract.ts'

// What an MLflow holds, in its own words (mlflow/protos/service.proto and model_registry.proto), however it is read.

/** 64-bit integers come as numbers from some servers and as texts from others. */
const Integer = z.union([z.number(), z.string().transform(Number)])
const Tags = z
  .array(z.object({ key: z.string(), value: z.string().default('') }))
  .default([])
  .transform((tags) => Object.fromEntries(tags.map(({ key, value }) => [key, value])))
const Stage = z.enum(['active', 'deleted']).default('active')

export const MlflowExperiment = z.object({
  experiment_id: z.string(),
  name: z.string(),
  lifecycle_stage: Stage,
  creation_time: Integer.default(0),
  last_update_time: Integer.default(0),
  tags: Tags,
})
export type MlflowExperiment = z.infer<typeof MlflowExperiment>

const Value = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])

export const MlflowPoint = z.object({
  key: z.string(),
  value: Value,
  timestamp: Integer,
  step: Integer.default(0),
  model_id: z.string().nullish(),
})
export type MlflowPoint = z.infer<typeof MlflowPoint>

const Dataset = z.object({
  tags: Tags,
  dataset: z.object({
    name: z.string(),
    digest: z.string(),
    source_type: z.string(),
    source: z.string(),
    schema: z.string().nullish(),
    profile: z.string().nullish(),
  }),
})

export const MlflowRun = z.object({
  info: z.object({
    run_id: z.string(),
    experiment_id: z.string(),
    run_name: z.string().default(''),
    user_id: z.string().default(''),
    status: z.enum(['SCHEDULED', 'RUNNING', 'FINISHED', 'FAILED', 'KILLED']).default('RUNNING'),
    start_time: Integer.default(0),
    end_time: Integer.nullish(),
    lifecycle_stage: Stage,
    artifact_uri: z.string().default(''),
  }),
  data: z
    .object({ metrics: z.array(MlflowPoint).default([]), params: Tags, tags: Tags })
    .default({ metrics: [], params: {}, tags: {} }),
  inputs: z
    .object({
      dataset_inputs: z.array(Dataset).default([]),
      model_inputs: z.array(z.object({ model_id: z.string() })).default([]),
    })
    .default({ dataset_inputs: [], model_inputs: [] }),
  outputs: z
    .object({ model_outputs: z.array(z.object({ model_id: z.string(), step: Integer.default(0) })).default([]) })
    .default({ model_outputs: [] }),
})
export type MlflowRun = z.infer<typeof MlflowRun>

export const MlflowLoggedModel = z.object({
  info: z.object({
    model_id: z.string(),
    experiment_id: z.string(),
    name: z.string(),
    creation_timestamp_ms: Integer,
    last_updated_timestamp_ms: Integer,
    artifact_uri: z.string().default(''),
    status: z
      .enum(['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'])
      .default('LOGGED_MODEL_PENDING'),
    model_type: z.string().default(''),
    source_run_id: z.string().nullish(),
    tags: Tags,
  }),
  data: z
    .object({
      params: Tags,
      metrics: z
        .array(
          MlflowPoint.extend({
            run_id: z.string(),
            dataset_name: z.string().nullish(),
            dataset_digest: z.string().nullish(),
          }),
        )
        .default([]),
    })
    .default({ params: {}, metrics: [] }),
})
export type MlflowLoggedModel = z.infer<typeof MlflowLoggedModel>

export const MlflowModel = z.object({
  name: z.string(),
  creation_timestamp: Integer.default(0),
  last_updated_timestamp: Integer.default(0),
  description: z.string().default(''),
  tags: Tags,
  aliases: z.array(z.object({ alias: z.string(), version: Integer })).default([]),
})
export type MlflowModel = z.infer<typeof MlflowModel>

export const MlflowVersion = z.object({
  name: z.string(),
  version: Integer,
  creation_timestamp: Integer.default(0),
  last_updated_timestamp: Integer.default(0),
  description: z.string().default(''),
  current_stage: z.string().default('None'),
  source: z.string().default(''),
  run_id: z.string().nullish(),
  model_id: z.string().nullish(),
  tags: Tags,
})
export type MlflowVersion = z.infer<typeof MlflowVersion>

/** What a trace is as a whole, in Pave's words; its spans are asked for apart. */
export type MlflowTrace = z.output<(typeof importTraces)['input']>['traces'][number]

/** A tag that says where the spans of a trace are; one whose spans are in a file beside its others has none. */
export const spansLocation = 'mlflow.trace.spansLocation'

/** Columns that the database of newer versions has for what a trace used and cost. */
export const tokenColumns = [
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_input_tokens',
  'cache_creation_input_tokens',
  'cache_creation_input_tokens_above_1hr',
]
export const costColumns = ['input_cost', 'output_cost', 'total_cost']

const JsonTags = z.record(z.string(), z.union([z.string(), z.null().transform(() => ''), z.json().transform(String)]))
/** JSON within JSON. */
const within = <T>(type: z.ZodType<T>) =>
  z.union([z.string().transform((text): unknown => JSON.parse(text)), z.json()]).pipe(type)

export const MlflowDataset = z.object({
  dataset_id: z.string(),
  name: z.string(),
  tags: within(JsonTags.nullable()).optional(),
  schema: z.string().nullish(),
  profile: z.string().nullish(),
  digest: z.string().nullish(),
  created_time: Integer.default(0),
  last_update_time: Integer.default(0),
  experiment_ids: z.array(z.coerce.string()).default([]),
})
export type MlflowDataset = z.infer<typeof MlflowDataset>

export const MlflowRecord = z.object({
  dataset_record_id: z.string(),
  inputs: within(z.record(z.string(), z.json())),
  outputs: z.json().optional(),
  expectations: within(z.record(z.string(), z.json()).nullable()).optional(),
  tags: within(JsonTags.nullable()).optional(),
  source: within(z.json()).optional(),
  created_time: Integer.default(0),
  last_update_time: Integer.default(0),
})
export type MlflowRecord = z.infer<typeof MlflowRecord>

export const MlflowScorer = z.object({
  scorer_id: z.string(),
  scorer_name: z.string(),
  scorer_version: Integer,
  serialized_scorer: z.string(),
  creation_time: Integer.default(0),
})
export type MlflowScorer = z.infer<typeof MlflowScorer>

export const MlflowWebhook = z.object({
  webhook_id: z.string().optional(),
  name: z.string(),
  description: z.string().default(''),
  url: z.string(),
  events: z.array(z.object({ entity: z.string(), action: z.string() })).default([]),
  creation_timestamp: Integer.default(0),
  last_updated_timestamp: Integer.default(0),
})
export type MlflowWebhook = z.infer<typeof MlflowWebhook>

/** Artifacts belong to a run, a logged model, or in Pave a version; `root` is what MLflow calls the artifact URI. */
export interface ArtifactRoot {
  kind: 'run' | 'logged-model' | 'version'
  id: string
  root: string
}

export interface ArtifactFile {
  path: string
  size: number
}

/** An MLflow that is read and never changed. */
export interface MlflowSource {
  /** Which it is: what was copied carries this name. */
  readonly name: string
  /** Kinds of things that it does not know, or does not show to whoever reads. */
  readonly absent: ReadonlySet<string>
  experiments(): AsyncIterable<MlflowExperiment>
  /** Deleted ones too, oldest first. */
  runs(experiment: string): AsyncIterable<MlflowRun>
  /** All points of one metric. */
  history(run: string, key: string): AsyncIterable<MlflowPoint>
  loggedModels(experiment: string): AsyncIterable<MlflowLoggedModel>
  /** Oldest first. */
  traces(experiment: string): AsyncIterable<MlflowTrace>
  /** All spans of each of the traces. */
  spans(traces: readonly MlflowTrace[]): Promise<Map<string, Span[]>>
  /** A file that spans of the trace refer to. */
  attachment(trace: MlflowTrace, id: string): Promise<ReadableStream<Uint8Array>>
  /** Traces of its experiment that were said to belong to a run, besides those that were made in it. */
  linkedTraces(run: string, experiment: string): AsyncIterable<string>
  /** Every version of all scorers of an experiment. */
  scorers(experiment: string): AsyncIterable<MlflowScorer>
  datasets(): AsyncIterable<MlflowDataset>
  /** In the order that they were added. */
  records(dataset: string): AsyncIterable<MlflowRecord>
  /** None where whoever reads may not see them. */
  webhooks(): AsyncIterable<MlflowWebhook>
  models(): AsyncIterable<MlflowModel>
  /** Oldest first. */
  versions(model: string): AsyncIterable<MlflowVersion>
  /** Where its server says that the files of a version are. */
  versionRoot(version: MlflowVersion): Promise<ArtifactRoot>
  /** All files below the root. */
  artifacts(root: ArtifactRoot): AsyncIterable<ArtifactFile>
  open(root: ArtifactRoot, path: string): Promise<ReadableStream<Uint8Array>>
  close(): Promise<void>
}
