import { handle, type OperationContext } from '#platform/context.ts'
import { lastReports, type NodeReport, takenAt } from './read-node-reports.ts'
import { describeSpans, readServedHistory } from './read-served.ts'
import * as contract from './served-contract.ts'
import { type Span, spanAt, spanOfGeneration } from './served-spans.ts'
import { findEndpoint } from './tables.ts'

/**
 * Two things that are not the same: the control plane decides and publishes a plan, and each node takes it a moment later,
 * or much later when it cannot reach the control plane. A node's report says what it had taken by then, and no less.
 */
export const whatServed = handle(contract.whatServed, async (ctx, { environment, endpoint, at }) => {
  await findEndpoint(ctx.db, environment, endpoint)
  const instant = at === undefined ? ctx.clock.now() : Date.parse(at)
  const history = await readServedHistory(ctx, environment, endpoint)
  const span = spanAt(history.spans, instant)
  const [decided = null] = span === undefined ? [] : await describeSpans(ctx, history, [span])
  const reports = await lastReports(ctx, environment, instant)
  const late = span === undefined ? undefined : await lateTakers(ctx, environment, span, instant, reports)
  const nodes = reports.map((report) => {
    const taken = span === undefined || report.generation >= (span.generation ?? 0)
    return {
      node: report.node,
      generation: report.generation,
      saidAt: report.at,
      entry: report.entry,
      traffic: spanOfGeneration(history.spans, report.generation)?.traffic ?? [],
      taken,
      takenAt: taken ? null : (late?.get(report.node) ?? null),
      override: overrideOf(report, endpoint),
      failed: report.failed.filter((one) => span?.traffic.some((share) => share.version === one.version)),
    }
  })
  return {
    environment,
    endpoint,
    at: new Date(instant).toISOString(),
    decided,
    nodes,
    agreed: nodes.length > 0 && nodes.every((node) => node.taken && node.override === null && node.failed.length === 0),
  }
})

async function lateTakers(
  ctx: OperationContext,
  environment: string,
  { generation }: Span,
  instant: number,
  reports: readonly NodeReport[],
): Promise<Map<string, string> | undefined> {
  if (generation === null || reports.every((report) => report.generation >= generation)) return undefined
  const from = new Date(instant).toISOString()
  const [taken] = await takenAt(ctx, environment, [{ generation, from, until: null }])
  return taken
}

function overrideOf({ overrides }: NodeReport, endpoint: string): { version: string; reason: string } | null {
  const found = overrides.find((override) => override.endpoint === endpoint)
  return found === undefined ? null : { version: found.version, reason: found.reason }
}
