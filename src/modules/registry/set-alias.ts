import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { holdAlias } from './hold-alias.ts'
import { resolveVersion } from './queries.ts'
import { registryFailure } from './tables.ts'

export const setAlias = handle(contract.setAlias, async (ctx, { model, alias, version, from }) => {
  if (/^v?\d+$/.test(alias) || alias === 'latest') {
    throw registryFailure('alias_reserved', `${alias} cannot be an alias: it reads as a version`)
  }
  await resolveVersion(ctx.db, `${model}@${version}`)
  const before = await holdAlias(ctx, model, alias, from)
  await sql`
    insert into registry.alias (workspace, model, alias, version) values (${ctx.workspace}, ${model}, ${alias}, ${version})
    on conflict (workspace, model, alias) do update set version = excluded.version
  `.execute(ctx.db)
  ctx.entry.subject('version', `${model}@${version}`)
  ctx.entry.facts({ alias, from: before })
  return { model, alias, version }
})
