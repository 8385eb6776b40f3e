import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { holdAlias } from './hold-alias.ts'
import { registryFailure } from './tables.ts'

export const deleteAlias = handle(contract.deleteAlias, async (ctx, { model, alias, from }) => {
  const version = await holdAlias(ctx, model, alias, from)
  if (version === null) throw registryFailure('version_not_found', `The model ${model} has no alias ${alias}`)
  await sql`delete from registry.alias where model = ${model} and alias = ${alias}`.execute(ctx.db)
  ctx.entry.subject('version', `${model}@${version}`)
  ctx.entry.facts({ alias, from: version })
  return { removed: true }
})
