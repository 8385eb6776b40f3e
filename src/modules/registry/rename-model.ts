import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { findModel, requireModel, versionColumns, versionsWithState } from './queries.ts'
import { removeVersions } from './remove-versions.ts'
import { identityOf, modelOf, registryFailure, type VersionRow } from './tables.ts'

/**
 * A version's identity includes the name of its model, so the versions are registered anew under the other name, with the
 * numbers, authors and times that they had, and those of the old name are removed.
 */
export const renameModel = handle(contract.renameModel, async (ctx, { model, name }) => {
  await holdFolders(ctx)
  const { spec, aliases } = await requireModel(ctx.db, model, true)
  if (model === name) return modelOf(await requireModel(ctx.db, model))
  const { rows } = await sql<{ last_version: number; removed_at: string | null }>`
    select last_version, removed_at from registry.model where name = ${name} for update
  `.execute(ctx.db)
  const [taken] = rows
  if (taken !== undefined && (taken.removed_at === null || taken.last_version > 0)) {
    throw registryFailure('model_exists', `There is, or was, a model ${name} with versions of its own`)
  }
  await sql`
    insert into registry.model (workspace, name, folder, spec, created_at, changed_at, last_version)
    select workspace, ${name}, folder, spec, created_at, ${ctx.clock.iso()}, last_version from registry.model where name = ${model}
    on conflict (workspace, name) do update set
      folder = excluded.folder, spec = excluded.spec, created_at = excluded.created_at, changed_at = excluded.changed_at,
      last_version = excluded.last_version, removed_at = null
  `.execute(ctx.db)
  const versions = await copyVersions(ctx, model, name)
  // Those on their way are asked for again: their jobs know the version by its old name.
  await sql`
    insert into registry.onnx_twin (workspace, model, version, job, state, content, log_size)
    select workspace, ${name}, version, job, state, content, log_size from registry.onnx_twin
    where model = ${model} and state <> 'converting'
  `.execute(ctx.db)
  await sql`
    insert into registry.alias (workspace, model, alias, version)
    select workspace, ${name}, alias, version from registry.alias where model = ${model}
  `.execute(ctx.db)
  await removeVersions(ctx, model, null)
  await sql`update registry.model set removed_at = ${ctx.clock.iso()} where name = ${model}`.execute(ctx.db)
  ctx.entry.subject('model', model)
  ctx.entry.subject('model', name)
  for (const version of versions) {
    ctx.entry.input('version', `${model}@${version}`)
    ctx.entry.output('version', `${name}@${version}`)
  }
  ctx.entry.after(spec)
  ctx.entry.facts({ from: model, versions: versions.length, aliases })
  const after = await findModel(ctx.db, name)
  if (after === undefined) throw new Error('a model that was just made is there')
  return modelOf(after)
})

async function copyVersions(ctx: OperationContext, model: string, name: string): Promise<number[]> {
  const { rows } = await sql<VersionRow>`
    select ${versionColumns} from ${versionsWithState} where v.model = ${model} and s.removed_at is null order by v.version
  `.execute(ctx.db)
  for (const { version, content, author, registered_at, note, tags, stage, changed_at } of rows) {
    await sql`
      insert into registry.version (workspace, model, version, digest, content, author, registered_at)
      values (${ctx.workspace}, ${name}, ${version}, ${identityOf(name, content, tags ?? {})},
              ${JSON.stringify(content)}::jsonb, ${author}, ${registered_at})
    `.execute(ctx.db)
    if (changed_at === null) continue
    await sql`
      insert into registry.version_state (workspace, model, version, note, tags, stage, changed_at)
      values (${ctx.workspace}, ${name}, ${version}, ${note}, ${JSON.stringify(tags ?? {})}::jsonb, ${stage ?? 'none'}, ${changed_at})
    `.execute(ctx.db)
  }
  return rows.map((row) => row.version)
}
