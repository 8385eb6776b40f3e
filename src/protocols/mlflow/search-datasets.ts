import { z } from 'zod'
import { searchTrackingRuns } from '#modules/tracking/contract.ts'
import { endpoint, omitEmpty } from './endpoint.ts'

const mostSummaries = 1000
const contextTag = 'mlflow.data.context'

/** What the newest runs of some experiments read, for the filter of MLflow's page. */
export const datasetSummaries = [
  endpoint(
    'POST',
    'experiments/search-datasets',
    z.object({ experiment_ids: z.array(z.string()).min(1).max(20) }),
    async (call, { experiment_ids: experiments }) => {
      const { items } = await call.run(searchTrackingRuns, { experiments, fields: ['datasets'], limit: 1000 })
      const summaries = items.flatMap(({ experiment, datasets }) =>
        datasets.map(({ name, digest, tags: { [contextTag]: context } }) => ({
          experiment_id: experiment,
          name,
          digest,
          ...(context !== undefined && { context }),
        })),
      )
      const different = new Map(summaries.map((summary) => [JSON.stringify(summary), summary]))
      return omitEmpty({ dataset_summaries: [...different.values()].slice(0, mostSummaries) })
    },
  ),
]
