import { z } from 'zod'
import {
  createExperiment,
  type Experiment,
  getExperiment,
  listExperiments,
  searchExperiments,
  updateExperiment,
} from '#modules/tracking/contract.ts'
import { type Call, cursorOf, endpoint, Integer, KeyValues, keyValues, nextPage, pageSize, Texts } from './endpoint.ts'
import { invalid, notFound } from './errors.ts'
import { experimentLocation } from './location.ts'

const ById = z.object({ experiment_id: z.string() })

export const states = { ACTIVE_ONLY: 'active', DELETED_ONLY: 'deleted', ALL: 'all' } as const
export const ViewType = z.enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']).default('ACTIVE_ONLY')

const Search = z.object({
  max_results: Integer.optional(),
  page_token: z.string().optional(),
  filter: z.string().optional(),
  order_by: Texts,
  view_type: ViewType,
})

export const experiments = [
  endpoint(
    'POST',
    'experiments/create',
    z.object({ name: z.string(), artifact_location: z.string().optional(), tags: KeyValues }),
    async (call, { name, artifact_location, tags }) => {
      if (artifact_location) throw invalid('Pave keeps artifacts itself: leave artifact_location out')
      const { experiment } = await call.run(createExperiment, { name, tags })
      return { experiment_id: experiment }
    },
  ),
  endpoint('GET', 'experiments/get', ById, async (call, { experiment_id }) => ({
    experiment: wire(await call.run(getExperiment, { experiment: experiment_id })),
  })),
  endpoint('GET', 'experiments/get-by-name', z.object({ experiment_name: z.string() }), async (call, request) => ({
    experiment: wire(await byName(call, request.experiment_name)),
  })),
  endpoint('POST', 'experiments/search', Search, search),
  endpoint('GET', 'experiments/search', Search, search),
  endpoint('POST', 'experiments/update', ById.extend({ new_name: z.string().optional() }), async (call, request) => {
    await call.run(updateExperiment, { experiment: request.experiment_id, name: request.new_name })
    return {}
  }),
  endpoint('POST', 'experiments/delete', ById, async (call, { experiment_id }) => {
    await call.run(updateExperiment, { experiment: experiment_id, state: 'deleted' })
    return {}
  }),
  endpoint('POST', 'experiments/restore', ById, async (call, { experiment_id }) => {
    await call.run(updateExperiment, { experiment: experiment_id, state: 'active' })
    return {}
  }),
  endpoint(
    'POST',
    'experiments/set-experiment-tag',
    ById.extend({ key: z.string(), value: z.string() }),
    async (call, { experiment_id, key, value }) => {
      await call.run(updateExperiment, { experiment: experiment_id, tags: { [key]: value } })
      return {}
    },
  ),
  endpoint(
    'POST',
    'experiments/delete-experiment-tag',
    ById.extend({ key: z.string() }),
    async (call, { experiment_id, key }) => {
      await call.run(updateExperiment, { experiment: experiment_id, removeTags: [key] })
      return {}
    },
  ),
]

async function byName(call: Call, name: string): Promise<Experiment> {
  const { items } = await call.run(listExperiments, { name, state: 'all' })
  const [found = name === 'Default' ? await call.run(getExperiment, { experiment: '0' }) : undefined] = items
  if (found?.name !== name) throw notFound(`Could not find experiment with name '${name}'`)
  return found
}

async function search(call: Call, request: z.output<typeof Search>) {
  const { items, nextCursor } = await call.run(searchExperiments, {
    filter: request.filter,
    order: request.order_by,
    limit: pageSize(request.max_results, 1000, 1000),
    state: states[request.view_type],
    ...cursorOf(request.page_token),
  })
  return { experiments: items.map(wire), ...nextPage(nextCursor) }
}

function wire(experiment: Experiment) {
  return {
    experiment_id: experiment.experiment,
    name: experiment.name,
    artifact_location: experimentLocation(experiment.experiment),
    lifecycle_stage: experiment.state,
    creation_time: Date.parse(experiment.createdAt),
    last_update_time: Date.parse(experiment.updatedAt),
    tags: keyValues(experiment.tags),
  }
}
