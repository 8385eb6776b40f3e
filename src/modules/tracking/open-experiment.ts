import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import { defaultExperimentName } from './default-experiment.ts'
import { findExperiment, trackingFailure } from './tables.ts'

/** The number of an experiment that takes new runs; makes the default one when it is the first to be used. */
export async function openExperiment(ctx: OperationContext, experiment: string): Promise<number> {
  const id = Number(experiment)
  const found = await findExperiment(ctx.db, id)
  if (found?.state === 'deleted') {
    throw trackingFailure('experiment_deleted', `The experiment ${experiment} (${found.name}) is deleted`)
  }
  if (found !== undefined) return id
  if (id !== 0) throw trackingFailure('experiment_not_found', `There is no experiment ${experiment}`)
  const now = ctx.clock.iso()
  await sql`
    insert into tracking.experiment (workspace, id, name, state, tags, created_at, updated_at)
    values (${ctx.workspace}, 0, ${defaultExperimentName}, 'active', '{}', ${now}, ${now})
    on conflict do nothing
  `.execute(ctx.db)
  return id
}
