import { z } from 'zod'
import {
  createTrackingRun,
  getTrackingRun,
  type LoggedPoint,
  logRunData,
  MetricValue,
  recordRunLineage,
  searchTrackingRuns,
  type TrackingRun,
  updateTrackingRun,
} from '#modules/tracking/contract.ts'
import {
  cursorOf,
  endpoint,
  Integer,
  KeyValues,
  keyValues,
  keyValuesUpTo,
  maxResults,
  nextPage,
  Texts,
} from './endpoint.ts'
import { invalid } from './errors.ts'
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

const Metric = z.object({
  key: z.string(),
  value: MetricValue,
  timestamp: Integer,
  step: Integer.default(0),
  model_id: z.string().nullish(),
  dataset_name: z.string().nullish(),
  dataset_digest: z.string().nullish(),
})

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
      const run = await call.run(createTrackingRun, {
        experiment: experiment_id || '0',
        name: run_name || tags[nameTag] || undefined,
        startedAt: start_time ? instant(start_time) : undefined,
        tags,
      })
      return { run: wireRun(run) }
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
      const { items, nextCursor } = await call.run(searchTrackingRuns, {
        experiments: request.experiment_ids,
        filter: request.filter,
        order: request.order_by,
        state: states[request.run_view_type],
        limit: Math.min(request.max_results ?? 1000, 1000),
        ...cursorOf(request.page_token),
      })
      return { runs: items.map(wireRun), ...nextPage(nextCursor) }
    },
  ),
  endpoint('POST', 'runs/log-metric', ByRun.extend(Metric.shape), async (call, { run_id: run, ...metric }) => {
    await call.run(logRunData, { run, metrics: [pointOf(metric)] })
    return {}
  }),
  endpoint(
    'POST',
    'runs/log-parameter',
    ByRun.extend({ key: z.string(), value: z.string() }),
    async (call, request) => {
      await call.run(logRunData, { run: request.run_id, params: { [request.key]: request.value } })
      return {}
    },
  ),
  endpoint('POST', 'runs/set-tag', ByRun.extend({ key: z.string(), value: z.string() }), async (call, request) => {
    const { run_id: run, key, value } = request
    await call.run(logRunData, { run, tags: { [key]: value } })
    if (key === nameTag) await call.run(updateTrackingRun, { run, name: value })
    return {}
  }),
  endpoint('POST', 'runs/delete-tag', ByRun.extend({ key: z.string() }), async (call, { run_id: run, key }) => {
    await call.run(updateTrackingRun, { run, removeTags: [key] })
    return {}
  }),
  endpoint(
    'POST',
    'runs/log-batch',
    ByRun.extend({
      metrics: z.array(Metric).max(1000).default([]),
      params: keyValuesUpTo(100),
      tags: keyValuesUpTo(100),
    }).refine(
      ({ metrics, params, tags }) => metrics.length + Object.keys(params).length + Object.keys(tags).length <= 1000,
      'A batch logging request can contain at most 1000 metrics, parameters and tags together',
    ),
    async (call, { run_id: run, metrics, params, tags }) => {
      await call.run(logRunData, { run, metrics: metrics.map(pointOf), params, tags })
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
    ByRun.extend({ models: z.array(z.object({ model_id: z.string(), step: Integer.default(0) })).default([]) }),
    async (call, { run_id: run, models }) => {
      await call.run(recordRunLineage, {
        run,
        models: models.map(({ model_id, step }) => ({ loggedModel: model_id, direction: 'output' as const, step })),
      })
      return {}
    },
  ),
]

function pointOf({ model_id, dataset_name, dataset_digest, ...point }: z.output<typeof Metric>) {
  return {
    ...point,
    loggedModel: model_id || null,
    dataset: dataset_name ? { name: dataset_name, digest: dataset_digest ?? '' } : null,
  }
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
    data: {
      metrics: run.metrics.map((point) => wireMetric(point, run.run)),
      params: keyValues(run.params),
      tags: keyValues({ ...run.tags, [nameTag]: run.name }),
    },
    inputs: {
      dataset_inputs: run.datasets.map(({ tags, sourceType, schema, profile, ...dataset }) => ({
        tags: keyValues(tags),
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
    },
    outputs: {
      model_outputs: run.models
        .filter((model) => model.direction === 'output')
        .map(({ loggedModel, step }) => ({ model_id: loggedModel, step })),
    },
  }
}

export function wireMetric({ key, value, timestamp, step }: LoggedPoint, run: string) {
  return { key, value, timestamp, step, run_id: mlflowRunId(run) }
}

function instant(milliseconds: number): string {
  if (!(Math.abs(milliseconds) <= 8.64e15)) throw invalid(`${milliseconds} is not a time in milliseconds`)
  return new Date(milliseconds).toISOString()
}
