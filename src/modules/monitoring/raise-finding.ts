import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { severityOf } from './streaks.ts'
import { type FindingRow, findingColumns, findingOf, findMonitor, monitoringFailure } from './tables.ts'

/** One finding is open for each monitor, kind and feature; seeing it again updates it. */
export const raiseFinding = handle(contract.raiseFinding, async (ctx, input) => {
  const { environment, monitor, kind, feature, version, value, threshold, since, at } = input
  const watched = await findMonitor(ctx.db, environment, monitor)
  if (watched === undefined) {
    throw monitoringFailure('monitor_not_found', `The environment ${environment} has no monitor ${monitor}`)
  }
  const { endpoint } = watched.spec
  const id = ctx.ids.next()
  const severity = severityOf(kind, value, threshold)
  const { rows } = await sql<FindingRow>`
    insert into monitoring.finding as f (workspace, id, environment, monitor, endpoint, kind, feature, version, value,
                                         threshold, severity, state, since, raised_at, last_seen_at)
    values (${ctx.workspace}, ${id}, ${environment}, ${monitor}, ${endpoint}, ${kind}, ${feature}, ${version}, ${value},
            ${threshold}, ${severity}, 'open', ${since}, ${at}, ${at})
    on conflict (workspace, environment, monitor, kind, coalesce(feature, '')) where state = 'open' do update
      set version = excluded.version, value = excluded.value, threshold = excluded.threshold,
          severity = excluded.severity, last_seen_at = greatest(f.last_seen_at, excluded.last_seen_at)
    returning ${findingColumns}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('finding', row.id)
  ctx.entry.subject('monitor', `${environment}/${monitor}`)
  ctx.entry.subject('endpoint', `${environment}/${endpoint}`)
  ctx.entry.subject('version', version)
  ctx.entry.facts({ kind, feature, value, threshold, since, at, severity, version, new: row.id === id })
  return findingOf(row)
})
