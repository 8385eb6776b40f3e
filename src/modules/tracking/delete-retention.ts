import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { findRetention } from './retention.ts'
import { findExperiment, trackingFailure } from './tables.ts'
import * as contract from './trash-contract.ts'

export const deleteRetention = handle(contract.deleteRetention, async (ctx, { experiment }) => {
  const id = Number(experiment)
  if (id !== 0 && (await findExperiment(ctx.db, id)) === undefined) {
    throw trackingFailure('experiment_not_found', `There is no experiment ${experiment}`)
  }
  ctx.entry.before(await findRetention(ctx.db, id))
  const { numAffectedRows = 0n } = await sql`
    delete from tracking.retention where experiment = ${id}
  `.execute(ctx.db)
  ctx.entry.subject('experiment', experiment)
  return { removed: numAffectedRows > 0n }
})
