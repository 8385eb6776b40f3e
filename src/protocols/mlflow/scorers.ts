import { z } from 'zod'
import { deleteScorer, getScorer, listScorers, registerScorer, type Scorer } from '#modules/traces/contract.ts'
import { endpoint, Integer, omitEmpty, Texts } from './endpoint.ts'

const ByName = z.object({ experiment_id: z.string(), name: z.string() })
const Versioned = ByName.extend({ version: Integer.optional() })

export const scorers = [
  endpoint(
    'POST',
    'scorers/register',
    ByName.extend({ serialized_scorer: z.string() }),
    async (call, { experiment_id, name, serialized_scorer }) => {
      const made = await call.run(registerScorer, { experiment: experiment_id, name, serialized: serialized_scorer })
      return {
        version: made.version,
        scorer_id: made.scorer,
        experiment_id: made.experiment,
        name: made.name,
        serialized_scorer: made.serialized,
        creation_time: Date.parse(made.createdAt),
      }
    },
  ),
  endpoint(
    'GET',
    'scorers/list',
    z.object({ experiment_id: z.string().optional(), experiment_ids: Texts }),
    async (call, { experiment_id, experiment_ids }) => {
      const experiments = new Set([...(experiment_id === undefined ? [] : [experiment_id]), ...experiment_ids])
      const found: Scorer[] = []
      for (const experiment of experiments) found.push(...(await call.run(listScorers, { experiment })).items)
      return omitEmpty({ scorers: found.map(wire) })
    },
  ),
  endpoint('GET', 'scorers/versions', ByName, async (call, { experiment_id, name }) => ({
    scorers: (await call.run(listScorers, { experiment: experiment_id, name })).items.map(wire),
  })),
  endpoint('GET', 'scorers/get', Versioned, async (call, { experiment_id, name, version }) => ({
    scorer: wire(await call.run(getScorer, { experiment: experiment_id, name, version: version || undefined })),
  })),
  endpoint('DELETE', 'scorers/delete', Versioned, async (call, { experiment_id, name, version }) => {
    await call.run(deleteScorer, { experiment: experiment_id, name, version: version || undefined })
    return {}
  }),
  // No scorer runs by itself here, which the client asks before it lists them.
  endpoint('GET', 'scorers/online-configs', z.object({}), async () => ({ configs: [] })),
]

function wire(scorer: Scorer) {
  return {
    experiment_id: Number(scorer.experiment),
    scorer_name: scorer.name,
    scorer_version: scorer.version,
    serialized_scorer: scorer.serialized,
    creation_time: Date.parse(scorer.createdAt),
    scorer_id: scorer.scorer,
  }
}
