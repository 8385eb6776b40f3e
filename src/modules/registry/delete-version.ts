import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { resolveVersion } from './queries.ts'
import { removeVersions } from './remove-versions.ts'

/** The row stays, and with it the number: what is in the ledger about it goes on to mean this content. */
export const deleteVersion = handle(contract.deleteVersion, async (ctx, input) => {
  const { ref, model, version, digest, aliases } = await resolveVersion(ctx.db, input.version)
  await removeVersions(ctx, model, version)
  await sql`update registry.model set changed_at = ${ctx.clock.iso()} where name = ${model}`.execute(ctx.db)
  ctx.entry.subject('version', ref)
  ctx.entry.facts({ digest, aliases })
  return { removed: true }
})
