import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { registryFailure } from './tables.ts'

export const deleteAlias = handle(contract.deleteAlias, async (ctx, { model, alias }) => {
  const { rows } = await sql<{ version: number }>`
    delete from registry.alias where model = ${model} and alias = ${alias} returning version
  `.execute(ctx.db)
  if (rows[0] === undefined) throw registryFailure('version_not_found', `The model ${model} has no alias ${alias}`)
  ctx.entry.subject('version', `${model}@${rows[0].version}`)
  ctx.entry.facts({ alias })
  return { removed: true }
})
