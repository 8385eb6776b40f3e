import { z } from 'zod'
import { searchTraces } from '#modules/traces/contract.ts'
import { type Call, endpoint, omitEmpty } from './endpoint.ts'
import { invalid } from './errors.ts'

interface Counts {
  total: number
  first: number
  second: number
  both: number
}

/** How much more often than by chance traces are found by two filters at once. */
export const filterCorrelation = [
  endpoint(
    'POST',
    'traces/calculate-filter-correlation',
    z.object({
      experiment_ids: z.array(z.string()).min(1),
      filter_string1: z.string().min(1),
      filter_string2: z.string().min(1),
      base_filter: z.string().optional(),
    }),
    async (call, { experiment_ids: experiments, filter_string1: one, filter_string2: two, base_filter: base }) => {
      const count = (...filters: string[]) => countTraces(call, experiments, base ? [base, ...filters] : filters)
      const counts = {
        total: await count(),
        first: await count(one),
        second: await count(two),
        both: await count(one, two),
      }
      return omitEmpty({
        npmi: counts.both === 0 && counts.first > 0 && counts.second > 0 ? -1 : normalized(counts, 0),
        npmi_smoothed: normalized(counts, 0.5),
        filter1_count: counts.first,
        filter2_count: counts.second,
        joint_count: counts.both,
        total_count: counts.total,
      })
    },
  ),
]

async function countTraces(call: Call, experiments: string[], filters: string[]): Promise<number> {
  const filter = filters.map((one) => `(${one})`).join(' and ')
  const { total } = await call.run(searchTraces, { experiments, filter, count: true, limit: 1 })
  if (total === null) throw invalid('Conditions of spans cannot be counted here: filter by what traces themselves have')
  return total
}

/** Normalized pointwise mutual information of the four counts, each of them a little larger; undefined without any. */
function normalized({ total, first, second, both }: Counts, more: number): number | undefined {
  if (first === 0 || second === 0) return undefined
  const [joint, all] = [both + more, total + 4 * more]
  // Both are found always, and there is nothing else.
  if (both === total) return 1
  const [logOfJoint, logOfAll] = [Math.log(joint), Math.log(all)]
  const information = logOfJoint + logOfAll - (Math.log(first + 2 * more) + Math.log(second + 2 * more))
  return Math.max(-1, Math.min(1, information / (logOfAll - logOfJoint)))
}
