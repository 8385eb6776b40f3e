import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import * as contract from './contract.ts'
import { consecutiveOf, historyOf, judgeHistory } from './streaks.ts'
import { type MonitorRow, monitoringFailure } from './tables.ts'

/** Longest streak that a spec can ask for, and the one more that resolves. */
const longestHistory = 31

/** A window is evaluated once. Findings follow from the stored evaluations alone, so they can be replayed. */
export const recordEvaluation = handle(contract.recordEvaluation, async (ctx, evaluation) => {
  const { environment, monitor, at } = evaluation
  const { spec } = await lockMonitor(ctx, environment, monitor)
  const { rows: inserted } = await sql`
    insert into monitoring.evaluation (workspace, environment, monitor, at, body)
    values (${ctx.workspace}, ${environment}, ${monitor}, ${at}, ${JSON.stringify(evaluation)}::jsonb)
    on conflict do nothing returning at
  `.execute(ctx.db)
  if (inserted.length === 0) return { repeated: true, raised: [], resolved: [] }
  await sql`
    update monitoring.monitor set evaluated_at = greatest(evaluated_at, ${at}::timestamptz)
    where environment = ${environment} and name = ${monitor}
  `.execute(ctx.db)

  const evaluations = await lastEvaluations(ctx, evaluation)
  const open = await openFindings(ctx, environment, monitor)
  const raised: string[] = []
  const resolved: string[] = []
  for (const metric of evaluation.metrics) {
    const { kind, feature, value, threshold } = metric
    const judged = judgeHistory(historyOf(evaluations, metric), consecutiveOf(spec, kind))
    const known = open.find((finding) => finding.kind === kind && finding.feature === feature)
    if (metric.breached && judged.verdict === 'found' && value !== null && threshold !== null) {
      const { version } = evaluation
      const input = { environment, monitor, kind, feature, version, value, threshold, since: judged.since, at }
      raised.push((await ctx.call(contract.raiseFinding, input)).finding)
    } else if (known !== undefined && judged.verdict === 'clear') {
      const reason = `${value?.toFixed(3)} is within ${threshold?.toFixed(3)}`
      resolved.push((await ctx.call(contract.resolveFinding, { finding: known.id, at, reason })).finding)
    }
  }
  ctx.entry.subject('monitor', `${environment}/${monitor}`)
  const { metrics, ...window } = evaluation
  ctx.entry.facts({ ...window, breached: metrics.filter((metric) => metric.breached), raised, resolved })
  return { repeated: false, raised, resolved }
})

async function lockMonitor(ctx: OperationContext, environment: string, monitor: string) {
  const { rows } = await sql<Pick<MonitorRow, 'spec'>>`
    select spec from monitoring.monitor where environment = ${environment} and name = ${monitor} for update
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) {
    throw monitoringFailure('monitor_not_found', `The environment ${environment} has no monitor ${monitor}`)
  }
  return row
}

async function lastEvaluations(ctx: OperationContext, { environment, monitor, at }: contract.Evaluation) {
  const { rows } = await sql<{ body: contract.Evaluation }>`
    select body from monitoring.evaluation
    where environment = ${environment} and monitor = ${monitor} and at <= ${at}
    order by at desc limit ${longestHistory}
  `.execute(ctx.db)
  return rows.map((row) => row.body)
}

async function openFindings(ctx: OperationContext, environment: string, monitor: string) {
  const { rows } = await sql<{ id: string; kind: contract.FindingKind; feature: string | null }>`
    select id, kind, feature from monitoring.finding
    where environment = ${environment} and monitor = ${monitor} and state = 'open'
  `.execute(ctx.db)
  return rows
}
