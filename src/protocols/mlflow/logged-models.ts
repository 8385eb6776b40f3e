import { z } from 'zod'
import {
  createLoggedModel,
  getLoggedModel,
  type LoggedModel,
  searchLoggedModels,
  updateLoggedModel,
} from '#modules/tracking/contract.ts'
import { deleteLoggedModel } from '#modules/tracking/trash-contract.ts'
import { cursorOf, endpoint, KeyValues, keyValues, maxResults, nextPage, omitEmpty, Texts } from './endpoint.ts'
import { loggedModelLocation } from './location.ts'
import { mlflowRunId, runUuid } from './run-id.ts'
import { wireMetric } from './runs.ts'

const statuses = {
  LOGGED_MODEL_PENDING: 'pending',
  LOGGED_MODEL_READY: 'ready',
  LOGGED_MODEL_UPLOAD_FAILED: 'failed',
} as const

const ById = z.object({ model_id: z.string() })
const Dataset = z.object({ dataset_name: z.string(), dataset_digest: z.string().nullish() })

export const loggedModels = [
  endpoint(
    'POST',
    'logged-models',
    z.object({
      experiment_id: z.string().default('0'),
      name: z.string().optional(),
      model_type: z.string().optional(),
      source_run_id: z.string().optional(),
      params: KeyValues,
      tags: KeyValues,
    }),
    async (call, { experiment_id, name, model_type, source_run_id, params, tags }) => {
      const model = await call.run(createLoggedModel, {
        experiment: experiment_id,
        name: name || undefined,
        type: model_type,
        run: source_run_id ? runUuid(source_run_id) : undefined,
        params,
        tags,
      })
      return { model: wire(model) }
    },
  ),
  endpoint('GET', 'logged-models/:model_id', ById, async (call, { model_id }) => ({
    model: wire(await call.run(getLoggedModel, { loggedModel: model_id })),
  })),
  endpoint(
    'PATCH',
    'logged-models/:model_id',
    ById.extend({ status: z.enum(['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED']) }),
    async (call, { model_id, status }) => ({
      model: wire(await call.run(updateLoggedModel, { loggedModel: model_id, status: statuses[status] })),
    }),
  ),
  endpoint('POST', 'logged-models/:model_id/params', ById.extend({ params: KeyValues }), async (call, request) => {
    await call.run(updateLoggedModel, { loggedModel: request.model_id, params: request.params })
    return {}
  }),
  endpoint('PATCH', 'logged-models/:model_id/tags', ById.extend({ tags: KeyValues }), async (call, request) => ({
    model: wire(await call.run(updateLoggedModel, { loggedModel: request.model_id, tags: request.tags })),
  })),
  endpoint('DELETE', 'logged-models/:model_id/tags/:tag', ById.extend({ tag: z.string() }), async (call, request) => {
    await call.run(updateLoggedModel, { loggedModel: request.model_id, removeTags: [request.tag] })
    return {}
  }),
  endpoint('DELETE', 'logged-models/:model_id', ById, async (call, { model_id }) => {
    await call.run(deleteLoggedModel, { loggedModel: model_id })
    return {}
  }),
  endpoint(
    'POST',
    'logged-models/search',
    z.object({
      experiment_ids: Texts,
      filter: z.string().optional(),
      datasets: z.array(Dataset).max(100).default([]),
      max_results: maxResults(50_000),
      order_by: z
        .array(
          z.object({
            field_name: z.string(),
            ascending: z.boolean().default(true),
            dataset_name: z.string().nullish(),
            dataset_digest: z.string().nullish(),
          }),
        )
        .max(10)
        .default([]),
      page_token: z.string().optional(),
    }),
    async (call, { experiment_ids, filter, datasets, max_results, order_by, page_token }) => {
      const { items, nextCursor } = await call.run(searchLoggedModels, {
        experiments: experiment_ids,
        filter,
        datasets: datasets.map(datasetOf),
        orderBy: order_by.map(({ field_name: key, ascending, dataset_name, dataset_digest }) => ({
          key,
          descending: !ascending,
          ...(dataset_name && { dataset: datasetOf({ dataset_name, dataset_digest }) }),
        })),
        limit: Math.min(max_results ?? 100, 200),
        ...cursorOf(page_token),
      })
      return omitEmpty({ models: items.map(wire), ...nextPage(nextCursor) })
    },
  ),
]

function datasetOf({ dataset_name: name, dataset_digest: digest }: z.output<typeof Dataset>) {
  return { name, ...(digest && { digest }) }
}

function wire(model: LoggedModel) {
  return {
    info: {
      model_id: model.loggedModel,
      experiment_id: model.experiment,
      name: model.name,
      creation_timestamp_ms: Date.parse(model.createdAt),
      last_updated_timestamp_ms: Date.parse(model.updatedAt),
      artifact_uri: loggedModelLocation(model),
      status: Object.entries(statuses).find(([, status]) => status === model.status)?.[0],
      model_type: model.type,
      ...(model.run !== null && { source_run_id: mlflowRunId(model.run) }),
      tags: keyValues(model.tags),
    },
    data: {
      params: keyValues(model.params),
      metrics: model.metrics.map(({ run, dataset, ...point }) => ({
        ...wireMetric(point, run),
        model_id: model.loggedModel,
        ...(dataset !== null && { dataset_name: dataset.name, dataset_digest: dataset.digest }),
      })),
    },
  }
}
