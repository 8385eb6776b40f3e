import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findingOf, requireFinding } from './tables.ts'

export const resolveFinding = handle(contract.resolveFinding, async (ctx, { finding, at, reason }) => {
  const before = await requireFinding(ctx.db, finding)
  const resolvedAt = at ?? before.last_seen_at
  if (before.state === 'open') {
    await sql`
      update monitoring.finding set state = 'resolved', resolved_at = ${resolvedAt} where id = ${finding}
    `.execute(ctx.db)
  }
  ctx.entry.subject('finding', finding)
  ctx.entry.subject('monitor', `${before.environment}/${before.monitor}`)
  ctx.entry.subject('endpoint', `${before.environment}/${before.endpoint}`)
  ctx.entry.facts({ kind: before.kind, feature: before.feature, since: before.since, at: resolvedAt, reason })
  return findingOf(await requireFinding(ctx.db, finding))
})
