import { sql } from 'kysely'
import { endpointWatermark, firstPrimaryHour } from '#modules/predictions/queries.ts'
import { systemActor } from '#platform/actor.ts'
import { PaveError } from '#platform/errors.ts'
import type { Subscriber } from '#platform/module.ts'
import { durationMs } from '#platform/names.ts'
import type { Platform } from '#platform/platform.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type Evaluation, recordEvaluation, startRetraining } from './contract.ts'
import { measureMonitor } from './measure-monitor.ts'
import { type MonitorRow, monitorOf } from './tables.ts'

/**
 * When an endpoint's event time has passed the end of a monitor's next window, that window is evaluated, and so is each
 * one after it: a subscriber that lags finds what one that keeps up would have found.
 */
export const evaluateMonitors: Subscriber = {
  name: 'evaluate-monitors',
  operations: ['record-predictions'],
  async handle({ platform }, entry) {
    for (const { id } of entry.subjects.filter(({ kind }) => kind === 'endpoint')) {
      const [environment = '', endpoint = ''] = id.split('/')
      const monitors = await platform.read(entry.workspace, (db) => monitorsOf(db, environment, endpoint))
      for (const monitor of monitors) {
        try {
          await catchUp(platform, entry.workspace, monitor)
        } catch (error) {
          // What cannot be evaluated must not keep the other monitors waiting; the next predictions are another attempt.
          if (!(error instanceof PaveError) || error.status >= 500) throw error
          platform.log.warn(
            { err: error, monitor: `${environment}/${monitor.name}` },
            'a monitor could not be evaluated',
          )
        }
      }
    }
  },
}

async function monitorsOf(db: Db, environment: string, endpoint: string): Promise<MonitorRow[]> {
  const { rows } = await sql<MonitorRow>`
    select environment, name, spec, updated_at, evaluated_at from monitoring.monitor
    where environment = ${environment} and endpoint = ${endpoint} order by name
  `.execute(db)
  return rows
}

async function catchUp(platform: Platform, workspace: string, monitor: MonitorRow): Promise<void> {
  const actor = systemActor(workspace)
  for (let evaluated = monitor.evaluated_at; ; ) {
    const due = await platform.read(workspace, (db) => nextEvaluation(platform, db, monitor, evaluated))
    if (due === undefined) return
    await platform.run(recordEvaluation, { actor, input: due })
    evaluated = due.at
  }
}

/** What the first window shows that has ended and was not evaluated, passing over those without primary traffic. */
async function nextEvaluation(
  platform: Platform,
  db: Db,
  monitor: MonitorRow,
  evaluated: string | null,
): Promise<Evaluation | undefined> {
  const { environment, spec } = monitor
  const watermark = await endpointWatermark(db, environment, spec.endpoint)
  const step = durationMs(spec.every)
  const endAfter = (instant: string) => (Math.floor(Date.parse(instant) / step) + 1) * step
  const from = evaluated && new Date(endAfter(evaluated) - durationMs(spec.window)).toISOString()
  const first = await firstPrimaryHour(db, environment, spec.endpoint, from ?? undefined)
  if (watermark === undefined || first === undefined) return undefined
  const at = Math.max(endAfter(first), endAfter(evaluated ?? first))
  if (at > Date.parse(watermark)) return undefined
  return measureMonitor(platform.services, db, monitorOf(monitor), new Date(at).toISOString())
}

export const retrainOnFindings: Subscriber = {
  name: 'retrain-on-findings',
  operations: ['raise-finding'],
  async handle(ctx, entry) {
    const finding = entry.subjects.find(({ kind }) => kind === 'finding')?.id
    if (entry.outcome !== 'done' || entry.facts?.new !== true || finding === undefined) return
    try {
      await ctx.run('retrain', startRetraining, { finding })
    } catch (error) {
      // The refusal is in the ledger with its reason; trying again would not change it.
      if (!(error instanceof PaveError) || error.status >= 500) throw error
      ctx.platform.log.warn({ err: error, finding }, 'a finding could not start its retraining')
    }
  },
}
