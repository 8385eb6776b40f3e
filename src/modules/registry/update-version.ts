import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { resolveVersion } from './queries.ts'
import { registryFailure } from './tables.ts'

/** The entry tells the stage before and after, so that the past of a stage can be read from the ledger. */
export const updateVersion = handle(contract.updateVersion, async (ctx, input) => {
  const { note, tags, removeTags, stage, archiveOthers } = input
  const before = await resolveVersion(ctx.db, input.version)
  const { model, version } = before
  const fixed = [...Object.keys(tags), ...removeTags].filter((key) => Object.hasOwn(before.properties, key))
  if (fixed.length > 0) {
    throw registryFailure('version_immutable', `${before.ref} was registered with ${fixed.join(', ')}`)
  }
  const now = ctx.clock.iso()
  await sql`
    insert into registry.version_state as state (workspace, model, version, note, tags, stage, changed_at)
    values (${ctx.workspace}, ${model}, ${version}, ${note ?? null},
            ${JSON.stringify(tags)}::jsonb - ${removeTags}::text[], ${stage ?? 'none'}, ${now})
    on conflict (workspace, model, version) do update set
      note = coalesce(excluded.note, state.note),
      tags = (state.tags || ${JSON.stringify(tags)}::jsonb) - ${removeTags}::text[],
      stage = coalesce(${stage ?? null}, state.stage),
      changed_at = excluded.changed_at
  `.execute(ctx.db)
  const archived: number[] = []
  if (stage !== undefined && archiveOthers) {
    const { rows } = await sql<{ version: number }>`
      update registry.version_state set stage = 'archived', changed_at = ${now}
      where model = ${model} and stage = ${stage} and version <> ${version} returning version
    `.execute(ctx.db)
    archived.push(...rows.map((row) => row.version).sort((a, b) => a - b))
  }
  await sql`update registry.model set changed_at = ${now} where name = ${model}`.execute(ctx.db)
  const after = await resolveVersion(ctx.db, `${model}@${version}`)
  ctx.entry.subject('version', before.ref)
  for (const other of archived) ctx.entry.subject('version', `${model}@${other}`)
  ctx.entry.before(said(before))
  ctx.entry.after(said(after))
  if (stage !== undefined) ctx.entry.facts({ stage, from: before.stage, archived })
  const tagsSet = Object.keys(tags).filter((key) => !removeTags.includes(key))
  const tagsRemoved = removeTags.filter((key) => Object.hasOwn(before.tags, key))
  if (tagsSet.length + tagsRemoved.length > 0) ctx.entry.facts({ tagsSet, tagsRemoved })
  return after
})

function said({ note, tags, stage }: contract.Version) {
  return { note, tags, stage }
}
