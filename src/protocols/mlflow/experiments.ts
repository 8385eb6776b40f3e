import { z } from 'zod'
import {
  createExperiment,
  type Experiment,
  getExperiment,
  listExperiments,
  searchExperiments,
  updateExperiment,
} from '#modules/tracking/contract.ts'
import { folderTag } from '#platform/names.ts'
import {
  type Call,
  cursorOf,
  cutText,
  endpoint,
  KeyValues,
  keyValues,
  maxResults,
  nextPage,
  omitEmpty,
  pageSize,
  Texts,
} from './endpoint.ts'
import { invalid, notFound } from './errors.ts'
import { withFolderTag } from './folder-tag.ts'
import { experimentLocation } from './location.ts'

const ById = z.object({ experiment_id: z.string() })

export const states = { ACTIVE_ONLY: 'active', DELETED_ONLY: 'deleted', ALL: 'all' } as const
export const ViewType = z.enum(['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL']).default('ACTIVE_ONLY')

const Search = z.object({
  max_results: maxResults(50_000),
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
    async (call, { name, artifact_location, tags: { [folderTag]: folder, ...tags } }) => {
      if (artifact_location) throw invalid('Pave keeps artifacts itself: leave artifact_location out')
      const { experiment } = await call.run(createExperiment, { name, folder, tags })
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
  endpoint('POST', 'experiments/update', ById.extend({ new_name: z.string().min(1) }), async (call, request) => {
    await requireActive(call, request.experiment_id)
    await call.run(updateExperiment, { experiment: request.experiment_id, name: request.new_name })
    return {}
  }),
  endpoint('POST', 'experiments/delete', ById, async (call, { experiment_id }) => {
    await requireState(call, experiment_id, 'active')
    await call.run(updateExperiment, { experiment: experiment_id, state: 'deleted' })
    return {}
  }),
  endpoint('POST', 'experiments/restore', ById, async (call, { experiment_id }) => {
    await requireState(call, experiment_id, 'deleted')
    await call.run(updateExperiment, { experiment: experiment_id, state: 'active' })
    return {}
  }),
  endpoint(
    'POST',
    'experiments/set-experiment-tag',
    ById.extend({ key: z.string(), value: cutText(5000) }),
    async (call, { experiment_id, key, value }) => {
      await requireActive(call, experiment_id)
      const change = key === folderTag ? { folder: value } : { tags: { [key]: value } }
      await call.run(updateExperiment, { experiment: experiment_id, ...change })
      return {}
    },
  ),
  endpoint(
    'POST',
    'experiments/delete-experiment-tag',
    ById.extend({ key: z.string() }),
    async (call, { experiment_id, key }) => {
      const { tags, folder } = await requireActive(call, experiment_id)
      if (withFolderTag(tags, folder)[key] === undefined) {
        throw notFound(`No tag with name: ${key} in experiment with id ${experiment_id}`)
      }
      const change = key === folderTag ? { folder: '' } : { removeTags: [key] }
      await call.run(updateExperiment, { experiment: experiment_id, ...change })
      return {}
    },
  ),
]

async function requireActive(call: Call, experiment: string): Promise<Experiment> {
  const found = await call.run(getExperiment, { experiment })
  if (found.state === 'active') return found
  throw invalid(`The experiment ${experiment} must be in the 'active' state. Current state is ${found.state}.`)
}

/** Who deletes what is deleted, or restores what is there, is told that no such experiment is found, as MLflow says it. */
async function requireState(call: Call, experiment: string, state: Experiment['state']): Promise<void> {
  const found = await call.run(getExperiment, { experiment })
  if (found.state !== state) throw notFound(`No ${state} experiment with ID ${experiment} exists`)
}

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
  return omitEmpty({ experiments: items.map(wire), ...nextPage(nextCursor) })
}

function wire(experiment: Experiment) {
  return {
    experiment_id: experiment.experiment,
    name: experiment.name,
    artifact_location: experimentLocation(experiment.experiment),
    lifecycle_stage: experiment.state,
    creation_time: Date.parse(experiment.createdAt),
    last_update_time: Date.parse(experiment.updatedAt),
    ...omitEmpty({ tags: keyValues(withFolderTag(experiment.tags, experiment.folder)) }),
  }
}
