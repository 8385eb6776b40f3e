import { sql } from 'kysely'
import { endpointWatermark } from '#modules/predictions/queries.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findMonitor, type MonitorRow, monitoringFailure, monitorOf } from './tables.ts'
import { unknownReferences } from './watermark-params.ts'

export const putMonitor = handle(contract.putMonitor, async (ctx, { environment, monitor, spec }) => {
  check(monitor, spec)
  const before = await findMonitor(ctx.db, environment, monitor)
  ctx.requireMatch(before?.spec)
  const watermark = await endpointWatermark(ctx.db, environment, spec.endpoint)
  const { rows } = await sql<MonitorRow>`
    insert into monitoring.monitor as m (workspace, environment, name, endpoint, spec, updated_at, evaluated_at)
    values (${ctx.workspace}, ${environment}, ${monitor}, ${spec.endpoint}, ${JSON.stringify(spec)}::jsonb, ${ctx.clock.iso()},
            ${watermark ?? null})
    on conflict (workspace, environment, name) do update
      set spec = excluded.spec, endpoint = excluded.endpoint,
          updated_at = case when m.spec = excluded.spec then m.updated_at else excluded.updated_at end,
          evaluated_at = case when m.endpoint = excluded.endpoint then m.evaluated_at else excluded.evaluated_at end
    returning environment, name, spec, updated_at, evaluated_at
  `.execute(ctx.db)
  const [after] = rows
  if (after === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('monitor', `${environment}/${monitor}`)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ endpoint: `${environment}/${spec.endpoint}` })
  return monitorOf(after)
})

function check(monitor: string, spec: contract.MonitorSpec): void {
  const { drift, predictionDrift, performance, calibration, retrain } = spec
  if ([drift, predictionDrift, performance, calibration].every((watched) => watched === undefined)) {
    throw monitoringFailure('monitor_invalid', `Monitor ${monitor} watches nothing`)
  }
  if (performance !== undefined && performance.minimum === undefined && performance.maximumDrop === undefined) {
    throw monitoringFailure('monitor_invalid', `Monitor ${monitor}: performance has neither minimum nor maximumDrop`)
  }
  const unknown = unknownReferences(retrain?.params ?? {})
  if (unknown.length > 0) {
    throw monitoringFailure('monitor_invalid', `Monitor ${monitor}: params hold unknown ${unknown.join(', ')}`)
  }
}
