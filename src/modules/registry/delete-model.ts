import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { requireModel } from './queries.ts'
import { removeVersions } from './remove-versions.ts'

/** The name is free afterwards; numbers of versions go on where they were. */
export const deleteModel = handle(contract.deleteModel, async (ctx, { model }) => {
  const { spec, last_version: versions, aliases } = await requireModel(ctx.db, model, true)
  await removeVersions(ctx, model, null)
  await sql`update registry.model set removed_at = ${ctx.clock.iso()} where name = ${model}`.execute(ctx.db)
  ctx.entry.subject('model', model)
  ctx.entry.before(spec)
  ctx.entry.facts({ versions, aliases })
  return { removed: true }
})
