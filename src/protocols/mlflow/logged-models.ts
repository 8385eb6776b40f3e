import { z } from 'zod'
import {
  createLoggedModel,
  getLoggedModel,
  type LoggedModel,
  searchLoggedModels,
  updateLoggedModel,
} from '#modules/tracking/contract.ts'
import { cursorOf, endpoint, Integer, KeyValues, keyValues, nextPage, pageSize, Texts } from './endpoint.ts'
import { invalid } from './errors.ts'
import { loggedModelLocation } from './location.ts'
import { type Comparison, readFilter } from './read-filter.ts'
import { mlflowRunId, runUuid } from './run-id.ts'
import { wireMetric } from './runs.ts'

const statuses = {
  LOGGED_MODEL_PENDING: 'pending',
  LOGGED_MODEL_READY: 'ready',
  LOGGED_MODEL_UPLOAD_FAILED: 'failed',
} as const

const ById = z.object({ model_id: z.string() })

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
  endpoint(
    'POST',
    'logged-models/search',
    z.object({
      experiment_ids: Texts,
      filter: z.string().optional(),
      max_results: Integer.optional(),
      page_token: z.string().optional(),
    }),
    async (call, { experiment_ids, filter, max_results, page_token }) => {
      const { items, nextCursor } = await call.run(searchLoggedModels, {
        experiments: experiment_ids,
        limit: pageSize(max_results, 100, 200),
        ...namedBy(readFilter(filter)),
        ...cursorOf(page_token),
      })
      return { models: items.map(wire), ...nextPage(nextCursor) }
    },
  ),
]

/** What the client itself asks for: the models of one run, or of one name. */
function namedBy(comparisons: readonly Comparison[]): { run?: string; name?: string } {
  const wanted: { run?: string; name?: string } = {}
  for (const { entity, key, comparator, value } of comparisons) {
    if (entity !== 'attribute' || comparator !== '=' || typeof value !== 'string') {
      throw invalid(
        `Logged models can be searched by name = and source_run_id =, not by ${entity} ${key} ${comparator}`,
      )
    }
    if (key === 'source_run_id') wanted.run = runUuid(value)
    else if (key === 'name') wanted.name = value
    else throw invalid(`Invalid attribute key '${key}'; there are name and source_run_id`)
  }
  return wanted
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
      metrics: model.metrics.map(({ run, ...point }) => wireMetric(point, run)),
    },
  }
}
