import { z } from 'zod'
import {
  createTrackingRun,
  getTrackingRun,
  type LoggedPoint,
  logRunData,
  MetricValue,
  type RunTexts,
  recordRunLineage,
  searchRunTexts,
  type TrackingRun,
  updateTrackingRun,
} from '#modules/tracking/contract.ts'
import {
  type Call,
  cursorOf,
  cutText,
  endpoint,
  Integer,
  JsonText,
  KeyValues,
  keyValues,
  keyValuesUpTo,
  maxResults,
  nextPage,
  omitEmpty,
  Texts,
} from './endpoint.ts'
import { invalid, notFound } from './errors.ts'
import { states, ViewType } from './experiments.ts'
import { runLocation } from './location.ts'
import { mlflowRunId, RunId } from './run-id.ts'

const nameTag = 'mlflow.runName'
const userTag = 'mlflow.user'

const statuses = {
  SCHEDULED: 'scheduled',
  RUNNING: 'running',
  FINISHED: 'finished',
  FAILED: 'failed',
  KILLED: 'killed',
} as const
const Status = z.enum(['SCHEDULED', 'RUNNING', 'FINISHED', 'FAILED', 'KILLED'])

const ByRun = z.object({ run_id: RunId })

const ParamValue = cutText(6000)
const TagValue = cutText(8000)

/** Protocol Buffers take numbers as texts too. */
const Value = z.union([
  MetricValue,
  z
    .string()
    .regex(/^[+-]?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/)
    .transform(Number),
])

const Metric = z.object({
  key: z.string(),
  value: Value,
  timestamp: Integer,
  step: Integer.default(0),
  model_id: z.string().nullish(),
  dataset_name: z.string().nullish(),
  dataset_digest: z.string().nullish(),
})

/** Of a batch: a parameter has one value. */
const Params = z
  .array(z.object({ key: z.string(), value: ParamValue }))
  .max(100)
  .default([])
  .refine((params) => new Set(params.map(({ key }) => key)).size === params.length, 'a parameter is there twice')
  .transform((params) => Object.fromEntries(params.map(({ key, value }) => [key, value])))

const Dataset = z.object({
  tags: KeyValues,
  dataset: z.object({
    name: z.string(),
    digest: z.string(),
    source_type: z.string(),
    source: z.string(),
    schema: z.string().nullish(),
    profile: z.string().nullish(),
  }),
})

export const runs = [
  endpoint(
    'POST',
    'runs/create',
    z.object({
      experiment_id: z.string().default('0'),
      run_name: z.string().optional(),
      start_time: Integer.optional(),
      tags: KeyValues,
    }),
    async (call, { experiment_id, run_name, start_time, tags }) => {
      const named = tags[nameTag]
      if (run_name && named && run_name !== named) {
        throw invalid(`Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values`)
      }
      const run = await call.run(createTrackingRun, {
        experiment: experiment_id || '0',
        name: run_name || named || undefined,
        startedAt: start_time ? instant(start_time) : undefined,
        tags,
      })
      const { info, data, inputs } = wireRun(run)
      return { run: { info, data, inputs } }
    },
  ),
  endpoint('GET', 'runs/get', ByRun, async (call, { run_id: run }) => ({
    run: wireRun(await call.run(getTrackingRun, { run })),
  })),
  endpoint(
    'POST',
    'runs/update',
    ByRun.extend({ status: Status.optional(), end_time: Integer.optional(), run_name: z.string().optional() }),
    async (call, { run_id: run, status, end_time, run_name }) => {
      const updated = await call.run(updateTrackingRun, {
        run,
        status: status && statuses[status],
        endedAt: end_time ? instant(end_time) : undefined,
        name: run_name || undefined,
      })
      return { run_info: wireRun(updated).info }
    },
  ),
  endpoint('POST', 'runs/delete', ByRun, async (call, { run_id: run }) => {
    await call.run(updateTrackingRun, { run, state: 'deleted' })
    return {}
  }),
  endpoint('POST', 'runs/restore', ByRun, async (call, { run_id: run }) => {
    await call.run(updateTrackingRun, { run, state: 'active' })
    return {}
  }),
  endpoint(
    'POST',
    'runs/search',
    z.object({
      experiment_ids: Texts,
      filter: z.string().optional(),
      run_view_type: ViewType,
      max_results: maxResults(50_000),
      order_by: Texts,
      page_token: z.string().optional(),
    }),
    async (call, request) => {
      const { items, nextCursor } = await call.run(searchRunTexts, {
        experiments: request.experiment_ids,
        filter: request.filter,
        order: request.order_by,
        state: states[request.run_view_type],
        limit: Math.min(request.max_results ?? 1000, 1000),
        ...cursorOf(request.page_token),
      })
      const page = { runs: `[${items.map(runText).join()}]`, ...textOf(nextPage(nextCursor)) }
      return new JsonText(objectText(page))
    },
  ),
  endpoint('POST', 'runs/log-metric', ByRun.extend(Metric.shape), async (call, { run_id: run, ...metric }) => {
    await call.run(logRunData, { run, metrics: [pointOf(metric)] })
    return {}
  }),
  endpoint(
    'POST',
    'runs/log-parameter',
    ByRun.extend({ key: z.string(), value: ParamValue }),
    async (call, request) => {
      await call.run(logRunData, { run: request.run_id, params: { [request.key]: request.value } })
      return {}
    },
  ),
  endpoint('POST', 'runs/set-tag', ByRun.extend({ key: z.string(), value: TagValue }), async (call, request) => {
    await logTags(call, request.run_id, { [request.key]: request.value })
    return {}
  }),
  endpoint('POST', 'runs/delete-tag', ByRun.extend({ key: z.string() }), async (call, { run_id: run, key }) => {
    const { tags } = await call.run(getTrackingRun, { run })
    if (tags[key] === undefined) throw notFound(`No tag with name: ${key} in run with id ${mlflowRunId(run)}`)
    await call.run(updateTrackingRun, { run, removeTags: [key] })
    return {}
  }),
  endpoint(
    'POST',
    'runs/log-batch',
    ByRun.extend({
      metrics: z.array(Metric).max(1000).default([]),
      params: Params,
      tags: keyValuesUpTo(100, TagValue),
    }).refine(
      ({ metrics, params, tags }) => metrics.length + Object.keys(params).length + Object.keys(tags).length <= 1000,
      'A batch logging request can contain at most 1000 metrics, parameters and tags together',
    ),
    async (call, { run_id: run, metrics, params, tags }) => {
      await call.run(logRunData, { run, metrics: metrics.map(pointOf), params, tags })
      await rename(call, run, tags)
      return {}
    },
  ),
  endpoint(
    'POST',
    'runs/log-model',
    ByRun.extend({ model_json: z.string() }),
    async (call, { run_id: run, model_json }) => {
      const { tags } = await call.run(getTrackingRun, { run })
      const models = [...ModelHistory.parse(read(tags[modelHistoryTag] ?? '[]')), LoggedModel.parse(read(model_json))]
      await logTags(call, run, { [modelHistoryTag]: JSON.stringify(models) })
      return {}
    },
  ),
  endpoint(
    'POST',
    'runs/log-inputs',
    ByRun.extend({
      datasets: z.array(Dataset).default([]),
      models: z.array(z.object({ model_id: z.string() })).default([]),
    }),
    async (call, { run_id: run, datasets, models }) => {
      await call.run(recordRunLineage, {
        run,
        datasets: datasets.map(({ tags, dataset: { source_type, schema, profile, ...dataset } }) => ({
          ...dataset,
          sourceType: source_type,
          schema: schema ?? null,
          profile: profile ?? null,
          tags,
        })),
        models: models.map(({ model_id }) => ({ loggedModel: model_id, direction: 'input' as const })),
      })
      return {}
    },
  ),
  endpoint(
    'POST',
    'runs/outputs',
    ByRun.extend({ models: z.array(z.object({ model_id: z.string(), step: Integer.default(0) })).min(1) }),
    async (call, { run_id: run, models }) => {
      await call.run(recordRunLineage, {
        run,
        models: models.map(({ model_id, step }) => ({ loggedModel: model_id, direction: 'output' as const, step })),
      })
      return {}
    },
  ),
]

/** As clients before MLflow 3 told that a run has a model: what they said of it, in a tag. */
const modelHistoryTag = 'mlflow.log-model.history'
const LoggedModel = z.looseObject({
  artifact_path: z.string(),
  flavors: z.record(z.string(), z.json()),
  utc_time_created: z.string(),
  run_id: z.string(),
})
const ModelHistory = z.array(LoggedModel)

function read(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw invalid('Malformed model info: it is not a valid JSON')
  }
}

async function logTags(call: Call, run: string, tags: Record<string, string>): Promise<void> {
  await call.run(logRunData, { run, tags })
  await rename(call, run, tags)
}

/** The name of a run is a tag for MLflow. */
async function rename(call: Call, run: string, { [nameTag]: name }: Record<string, string>): Promise<void> {
  if (name) await call.run(updateTrackingRun, { run, name })
}

function pointOf({ model_id, dataset_name, dataset_digest, ...point }: z.output<typeof Metric>) {
  return {
    ...point,
    loggedModel: model_id || null,
    dataset: dataset_name ? { name: dataset_name, digest: dataset_digest ?? '' } : null,
  }
}

/** A thousand runs have tens of thousands of values, which go from PostgreSQL to the client unread. */
function runText({ params, metrics, ...rest }: RunTexts): string {
  const { data, ...parts } = wireRun({ ...rest, params: {}, metrics: [] })
  return objectText({ ...textOf(parts), data: objectText({ metrics, params, ...textOf(data) }) })
}

/** Each field as JSON. */
function textOf(fields: object): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]))
}

/** An object of fields that are JSON already; lists that are empty are left out, as MLflow leaves them out. */
function objectText(fields: Record<string, string>): string {
  const kept = Object.entries(fields).filter(([, text]) => text !== '[]')
  return `{${kept.map(([name, text]) => `"${name}":${text}`).join()}}`
}

function wireRun(run: TrackingRun) {
  const id = mlflowRunId(run.run)
  return {
    info: {
      run_id: id,
      run_uuid: id,
      run_name: run.name,
      experiment_id: run.experiment,
      user_id: run.tags[userTag] ?? run.author,
      status: run.status.toUpperCase(),
      start_time: Date.parse(run.startedAt),
      ...(run.endedAt !== null && { end_time: Date.parse(run.endedAt) }),
      artifact_uri: runLocation(run),
      lifecycle_stage: run.state,
    },
    data: omitEmpty({
      metrics: run.metrics.map(wireMetric),
      params: keyValues(run.params),
      tags: keyValues({ ...run.tags, [nameTag]: run.name }),
    }),
    inputs: omitEmpty({
      dataset_inputs: run.datasets.map(({ tags, sourceType, schema, profile, ...dataset }) => ({
        ...omitEmpty({ tags: keyValues(tags) }),
        dataset: {
          ...dataset,
          source_type: sourceType,
          ...(schema !== null && { schema }),
          ...(profile !== null && { profile }),
        },
      })),
      model_inputs: run.models
        .filter((model) => model.direction === 'input')
        .map(({ loggedModel }) => ({ model_id: loggedModel })),
    }),
    outputs: omitEmpty({
      model_outputs: run.models
        .filter((model) => model.direction === 'output')
        .map(({ loggedModel, step }) => ({ model_id: loggedModel, step })),
    }),
  }
}

export function wireMetric({ key, value, timestamp, step }: LoggedPoint) {
  return { key, value, timestamp, step }
}

function instant(milliseconds: number): string {
  if (!(Math.abs(milliseconds) <= 8.64e15)) throw invalid(`${milliseconds} is not a time in milliseconds`)
  return new Date(milliseconds).toISOString()
}
