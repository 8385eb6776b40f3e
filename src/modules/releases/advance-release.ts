import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { publishServingPlan } from './build-plan.ts'
import * as contract from './contract.ts'
import { candidateRows } from './observe-release.ts'
import { nextStage } from './strategy.ts'
import { findEndpoint, findRelease, releaseOf, releasesFailure } from './tables.ts'

export const advanceRelease = handle(contract.advanceRelease, async (ctx, input) => {
  const { release: id, from, verdicts } = input
  // The endpoint first, as a rollback does, so that the two wait for each other instead of for ever.
  const { environment, endpoint } = await findRelease(ctx.db, id)
  await findEndpoint(ctx.db, environment, endpoint, true)
  const release = await findRelease(ctx.db, id, true)
  if (release.state === 'completed' || release.state === 'rolled-back') {
    throw releasesFailure('release_ended', `The release of ${release.version} is ${release.state}`)
  }
  if (from !== undefined && (from.state !== release.state || from.step !== release.step))
    return releaseOf(ctx.db, release)
  // An operator says no count: the next step's rows begin where this one's ended all the same.
  const rows = input.rows ?? (await candidateRows(ctx.db, release))
  const stage = nextStage(release.strategy, { state: release.state, step: release.step })
  const ended = stage.state === 'completed' ? ctx.clock.iso() : null
  const history = [
    ...release.history,
    { at: ctx.clock.iso(), state: stage.state, weight: stage.weight, rows, verdicts },
  ]
  await sql`
    update releases.release
    set state = ${stage.state}, step = ${stage.step}, weight = ${stage.weight}, step_rows = ${rows}, ended_at = ${ended},
        verdicts = ${JSON.stringify(verdicts)}::jsonb, history = ${JSON.stringify(history)}::jsonb
    where id = ${id}
  `.execute(ctx.db)
  if (ended !== null) {
    await sql`
      update releases.endpoint set version = ${release.version}, release = ${id}
      where environment = ${release.environment} and name = ${release.endpoint}
    `.execute(ctx.db)
  }
  ctx.entry.subject('release', id)
  ctx.entry.subject('endpoint', `${release.environment}/${release.endpoint}`)
  ctx.entry.subject('version', release.version)
  ctx.entry.facts({ version: release.version, state: stage.state, weight: stage.weight, rows, verdicts })
  await publishServingPlan(ctx, release.environment)
  return releaseOf(ctx.db, await findRelease(ctx.db, id))
})
