import { z } from 'zod'
import { type LoggedPoint, listMetricPoints } from '#modules/tracking/contract.ts'
import { pagesOf } from '#platform/names.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { type Call, cursorOf, endpoint, Integer, nextPage, omitEmpty, Texts } from './endpoint.ts'
import { invalid } from './errors.ts'
import { mlflowRunId, RunId } from './run-id.ts'
import { wireMetric } from './runs.ts'

const mostPoints = 25_000
/** Beyond it a client must ask for pages, each of which costs the same. */
const mostHistory = 1_000_000
const mostRuns = 100
const mostPointsOfRun = 2500

type PageOfPoints = AnswerOf<typeof listMetricPoints>

const Runs = Texts.pipe(z.array(RunId).min(1).max(mostRuns))
const Count = Integer.refine((count) => count >= 1, 'must be a positive integer').optional()

const Bulk = z.object({ run_id: Runs, metric_key: z.string(), max_results: Count })

const Interval = z.object({
  run_ids: Runs,
  metric_key: z.string(),
  start_step: Integer.optional(),
  end_step: Integer.optional(),
  max_results: Integer.refine(
    (count) => count >= 1 && count <= mostPointsOfRun,
    `must be 1 to ${mostPointsOfRun}`,
  ).default(320),
})

export const metrics = [
  endpoint(
    'GET',
    'metrics/get-history',
    z.object({ run_id: RunId, metric_key: z.string(), max_results: Count, page_token: z.string().optional() }),
    async (call, { run_id: run, metric_key: key, max_results, page_token }) => {
      if (max_results === undefined && !page_token) {
        return omitEmpty({ metrics: inTime(await allPoints(call, run, key)).map(wireMetric) })
      }
      const limit = Math.min(max_results ?? mostPoints, mostPoints)
      const { items, nextCursor } = await call.run(listMetricPoints, { run, key, limit, ...cursorOf(page_token) })
      return omitEmpty({ metrics: inTime(items).map(wireMetric), ...nextPage(nextCursor) })
    },
  ),
  endpoint('GET', 'metrics/get-history-bulk', Bulk, async (call, request) => {
    const limit = Math.min(request.max_results ?? mostPoints, mostPoints)
    const found: ReturnType<typeof ofRun>[] = []
    for (const run of request.run_id.toSorted()) {
      if (found.length >= limit) break
      const { items }: PageOfPoints = await call.run(listMetricPoints, {
        run,
        key: request.metric_key,
        limit: limit - found.length,
      })
      found.push(...inTime(items).map((point) => ofRun(point, run)))
    }
    return { metrics: found }
  }),
  endpoint('GET', 'metrics/get-history-bulk-interval', Interval, async (call, request) => {
    const { run_ids, metric_key: key, start_step: start, end_step: end, max_results } = request
    if ((start === undefined) !== (end === undefined)) throw invalid('Give start_step and end_step, or neither')
    if (start !== undefined && end !== undefined && start > end) throw invalid('end_step must not be below start_step')
    const histories = []
    for (const run of run_ids) histories.push({ run, points: await allPoints(call, run, key) })
    const inside = histories.map(({ run, points }) => ({
      run,
      points: points.filter(({ step }) => (start === undefined || step >= start) && (end === undefined || step <= end)),
    }))
    const steps = sampledSteps(
      inside.map(({ points }) => points),
      max_results,
    )
    const found = inside.flatMap(({ run, points }) =>
      points.filter(({ step }) => steps.has(step)).map((point) => ofRun(point, run)),
    )
    return omitEmpty({ metrics: found })
  }),
]

/** The same steps of every run, evenly over all there are, and the first and last of each run. */
function sampledSteps(histories: readonly (readonly LoggedPoint[])[], most: number): Set<number> {
  const all = [...new Set(histories.flatMap((points) => points.map(({ step }) => step)))].sort((a, b) => a - b)
  if (all.length <= most) return new Set(all)
  const every = all.length / most
  const sampled = new Set(Array.from({ length: most }, (_, index) => all[Math.floor(index * every)] ?? 0))
  for (const points of histories) {
    const [first, last] = [points[0], points.at(-1)]
    if (first !== undefined && last !== undefined) sampled.add(first.step).add(last.step)
  }
  return sampled
}

function ofRun(point: LoggedPoint, run: string) {
  return { ...wireMetric(point), run_id: mlflowRunId(run) }
}

/** MLflow tells a history by time and Pave keeps it by step, which is the same order unless somebody logs steps backwards. */
function inTime(points: LoggedPoint[]): LoggedPoint[] {
  const ordered = points.every(({ timestamp }, index) => timestamp >= (points[index - 1]?.timestamp ?? timestamp))
  return ordered ? points : points.toSorted((a, b) => a.timestamp - b.timestamp || a.step - b.step)
}

async function allPoints(call: Call, run: string, key: string): Promise<LoggedPoint[]> {
  const points: LoggedPoint[] = []
  for await (const items of pagesOf((at) => call.run(listMetricPoints, { run, key, limit: mostPoints, ...at }))) {
    points.push(...items)
    if (points.length > mostHistory) throw invalid(`${key} has more than ${mostHistory} points: ask for pages of them`)
  }
  return points
}
