import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { resolveVersion } from './queries.ts'
import { registryFailure } from './tables.ts'

export const setAlias = handle(contract.setAlias, async (ctx, { model, alias, version }) => {
  if (/^v?\d+$/.test(alias) || alias === 'latest') {
    throw registryFailure('alias_reserved', `${alias} cannot be an alias: it reads as a version`)
  }
  await resolveVersion(ctx.db, `${model}@${version}`)
  await sql`
    insert into registry.alias (workspace, model, alias, version) values (${ctx.workspace}, ${model}, ${alias}, ${version})
    on conflict (workspace, model, alias) do update set version = excluded.version
  `.execute(ctx.db)
  ctx.entry.subject('version', `${model}@${version}`)
  ctx.entry.facts({ alias })
  return { model, alias, version }
})
