import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { publishServingPlan } from './build-plan.ts'
import * as contract from './contract.ts'
import { findEndpoint, findRelease, type ReleaseRow, releaseOf, releasesFailure, runningRelease } from './tables.ts'

/** What is rolled back to is loaded on every node already: only routes change. */
export const rollbackRelease = handle(contract.rollbackRelease, async (ctx, input) => {
  const { environment, endpoint: name, reason, verdicts, rows } = input
  const endpoint = await findEndpoint(ctx.db, environment, name, true)
  const running = await runningRelease(ctx.db, environment, name)
  const release = running ?? (endpoint.release === null ? undefined : await findRelease(ctx.db, endpoint.release, true))
  if (release === undefined || (input.release !== undefined && input.release !== release.id) || !canGoBack(release)) {
    throw releasesFailure('nothing_to_roll_back', `There is nothing to roll back on ${environment}/${name}`)
  }
  const history = [
    ...release.history,
    { at: ctx.clock.iso(), state: 'rolled-back' as const, weight: 0, rows, verdicts },
  ]
  await sql`
    update releases.release
    set state = 'rolled-back', step = null, weight = 0, ended_at = ${ctx.clock.iso()}, reason = ${reason},
        verdicts = ${JSON.stringify(verdicts)}::jsonb, history = ${JSON.stringify(history)}::jsonb
    where id = ${release.id}
  `.execute(ctx.db)
  if (running === undefined) {
    const { rows: earlier } = await sql<{ id: string }>`
      select id from releases.release
      where environment = ${environment} and endpoint = ${name} and version = ${release.previous} and state = 'completed'
      order by started_at desc limit 1
    `.execute(ctx.db)
    await sql`
      update releases.endpoint set version = ${release.previous}, release = ${earlier[0]?.id ?? null}
      where environment = ${environment} and name = ${name}
    `.execute(ctx.db)
  }
  const failed = verdicts.find((verdict) => verdict.verdict === 'fail')
  ctx.entry.subject('release', release.id)
  ctx.entry.subject('endpoint', `${environment}/${name}`)
  ctx.entry.subject('version', release.version)
  ctx.entry.facts({
    release: release.id,
    endpoint: `${environment}/${name}`,
    version: release.version,
    toVersion: running === undefined ? release.previous : endpoint.version,
    reason,
    automatic: ctx.actor.kind === 'system',
    seconds: (ctx.clock.now() - Date.parse(release.started_at)) / 1000,
    metric: failed?.guardrail ?? null,
    feature: failed?.feature ?? null,
    value: failed?.value ?? null,
    threshold: failed?.limit ?? null,
    rows,
  })
  await publishServingPlan(ctx, environment)
  return releaseOf(ctx.db, await findRelease(ctx.db, release.id))
})

function canGoBack(release: ReleaseRow): boolean {
  return (
    release.state === 'shadow' ||
    release.state === 'canary' ||
    (release.state === 'completed' && release.previous !== null)
  )
}
