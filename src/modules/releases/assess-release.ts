import { latencyQuantile } from '#algorithms/statistics/latency-histogram.ts'
import { wilsonInterval } from '#algorithms/statistics/proportion.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { fewestRows, type Observed } from './judge-release.ts'
import { assess } from './observe-release.ts'
import { nextStage, rowsNeeded, unjudged } from './strategy.ts'
import { findRelease } from './tables.ts'

/** What the rollout controller would say this moment, for people to look over its shoulder. */
export const assessRelease = handle(contract.assessRelease, async (ctx, { release: id }) => {
  const release = await findRelease(ctx.db, id)
  const { state, step, strategy } = release
  const since = release.history.at(-1)?.at ?? release.started_at
  if (state !== 'shadow' && state !== 'canary') {
    const rows = { candidate: release.history.at(-1)?.rows ?? 0, step: 0, needed: 0, current: 0 }
    return { release: id, running: false, since, rows, guardrails: [], next: null, unjudged: [] }
  }
  const { verdicts, candidate, current } = await assess(ctx.db, release)
  const next = nextStage(strategy, { state, step })
  return {
    release: id,
    running: true,
    since,
    rows: {
      candidate: candidate.rows,
      step: Math.max(0, candidate.rows - release.step_rows),
      needed: rowsNeeded(strategy, { state, step }),
      current: current?.rows ?? 0,
    },
    guardrails: verdicts.map((verdict) => ({
      ...verdict,
      interval: intervalOf(verdict.guardrail, candidate),
      needed: verdict.guardrail === 'inputShift' ? (strategy.guardrails.inputShift?.minimum ?? 0) : fewestRows,
      current: current === undefined ? null : measureOf(verdict.guardrail, current),
    })),
    next: { state: next.state, weight: next.weight },
    unjudged: unjudged(release, verdicts),
  }
})

const p99 = 0.99

function measureOf(guardrail: string, { rows, errors, fallbacks, latency }: Observed): number | null {
  if (guardrail === 'errorRate') return rows === 0 ? null : (errors + fallbacks) / rows
  return guardrail === 'latencyP99Ms' ? latencyQuantile(latency, p99) : null
}

/** Of a share by Wilson; of a quantile by the ranks that bracket it with 95 % probability, whatever the distribution. */
function intervalOf(guardrail: string, { rows, errors, fallbacks, latency }: Observed) {
  if (guardrail === 'errorRate') return wilsonInterval(errors + fallbacks, rows)
  if (guardrail !== 'latencyP99Ms' || latency.count === 0) return null
  const half = 1.96 * Math.sqrt((p99 * (1 - p99)) / latency.count)
  const low = latencyQuantile(latency, Math.max(0, p99 - half))
  const high = p99 + half >= 1 ? latency.max : latencyQuantile(latency, p99 + half)
  return low === null || high === null ? null : { low, high }
}
