import { sql } from 'kysely'
import { startRun } from '#modules/pipelines/contract.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import { durationMs } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type FindingRow, type MonitorRow, requireFinding } from './tables.ts'
import { fillParams } from './watermark-params.ts'

/** Times are event time: a replay of the past retrains as often as the past would have. */
export const startRetraining = handle(contract.startRetraining, async (ctx, { finding: id }) => {
  const finding = await requireFinding(ctx.db, id)
  const { environment, monitor, raised_at: at } = finding
  ctx.entry.subject('finding', id)
  ctx.entry.subject('monitor', `${environment}/${monitor}`)
  const { rows } = await sql<Pick<MonitorRow, 'spec'>>`
    select spec from monitoring.monitor where environment = ${environment} and name = ${monitor} for update
  `.execute(ctx.db)
  const retrain = rows[0]?.spec.retrain
  if (retrain === undefined) return skip('not_declared')
  const last = await lastRetraining(ctx, finding)
  if (last !== undefined && Date.parse(at) < Date.parse(last.at) + durationMs(retrain.cooldown)) {
    ctx.entry.facts({ skipped: 'cooldown', lastRun: last.run, cooldown: retrain.cooldown })
    return skip('cooldown')
  }
  const params = fillParams(retrain.params, at)
  const reason = `${environment}/${monitor}: ${describe(finding)}`
  const { run } = await ctx.call(startRun, { pipeline: retrain.pipeline, params, reason })
  await sql`
    insert into monitoring.retraining (workspace, environment, monitor, at, finding, run)
    values (${ctx.workspace}, ${environment}, ${monitor}, ${at}, ${id}, ${run})
  `.execute(ctx.db)
  await sql`update monitoring.finding set run = ${run} where id = ${id}`.execute(ctx.db)
  ctx.entry.input('finding', id)
  ctx.entry.output('run', run)
  ctx.entry.facts({ run, pipeline: retrain.pipeline, params })
  return { run, skipped: null }
})

const skip = (skipped: 'not_declared' | 'cooldown') => ({ run: null, skipped })

async function lastRetraining(ctx: OperationContext, { environment, monitor }: FindingRow) {
  const { rows } = await sql<{ at: string; run: string }>`
    select at, run from monitoring.retraining
    where environment = ${environment} and monitor = ${monitor} order by at desc limit 1
  `.execute(ctx.db)
  return rows[0]
}

function describe({ kind, feature, value, threshold, since }: FindingRow): string {
  const what = feature === null ? kind.replaceAll('_', ' ') : `${kind} of ${feature}`
  return `${what} is ${value.toFixed(3)}, the threshold is ${threshold.toFixed(3)}, since ${since.slice(0, 10)}`
}
