import { z } from 'zod'
import {
  createLoggedModel,
  getLoggedModel,
  type LoggedModel,
  LoggedModelId,
  searchLoggedModels,
  updateLoggedModel,
} from '#modules/tracking/contract.ts'
import { deleteLoggedModel } from '#modules/tracking/trash-contract.ts'
import { cursorOf, endpoint, KeyValues, keyValues, maxResults, nextPage, omitEmpty } from './endpoint.ts'
import { notFound } from './errors.ts'
import { loggedModelLocation } from './location.ts'
import { idOf, mlflowRunId, runUuid } from './run-id.ts'
import { wireMetric } from './runs.ts'

const statuses = {
  LOGGED_MODEL_PENDING: 'pending',
  LOGGED_MODEL_READY: 'ready',
  LOGGED_MODEL_UPLOAD_FAILED: 'failed',
} as const

const ById = z.object({ model_id: idOf(LoggedModelId, 'Logged model') })
/** What a path or a reference to a model could be taken for is no name of one. */
const Name = z.string().regex(/^[^/:.%"']*$/, 'the name of a model has no / : . % and no quotes')
const Dataset = z.object({ dataset_name: z.string(), dataset_digest: z.string().nullish() })

export const loggedModels = [
  endpoint(
    'POST',
    'logged-models',
    z.object({
      experiment_id: z.string().default('0'),
      name: Name.optional(),
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
  endpoint('PATCH', 'logged-models/:model_id/tags', ById.extend({ tags: KeyValues }), async (call, request) => {
    await call.run(updateLoggedModel, { loggedModel: request.model_id, tags: request.tags })
    return {}
  }),
  endpoint('DELETE', 'logged-models/:model_id/tags/:tag', ById.extend({ tag: z.string() }), async (call, request) => {
    const { tags } = await call.run(getLoggedModel, { loggedModel: request.model_id })
    if (tags[request.tag] === undefined) throw notFound(`No tag with key '${request.tag}' of this model`)
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
      experiment_ids: z.array(z.string()).min(1),
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
      source_run_id: model.run === null ? '' : mlflowRunId(model.run),
      ...omitEmpty({ tags: keyValues(model.tags) }),
    },
    data: omitEmpty({
      params: keyValues(model.params),
      metrics: model.metrics.map(({ run, dataset, ...point }) => ({
        ...wireMetric(point),
        run_id: mlflowRunId(run),
        model_id: model.loggedModel,
        ...(dataset !== null && { dataset_name: dataset.name, dataset_digest: dataset.digest }),
      })),
    }),
  }
}
