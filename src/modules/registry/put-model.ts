import { sql } from 'kysely'
import { allows } from '#platform/actor.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import { platformFailure } from '#platform/errors.ts'
import { holdFolders } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { findModel } from './queries.ts'
import { type ModelRow, modelColumns, modelOf } from './tables.ts'

export const putModel = handle(contract.putModel, async (ctx, { model, spec, folder }) => {
  if (folder !== undefined) await holdFolders(ctx)
  const before = await findModel(ctx.db, model, true)
  ctx.requireMatch(before?.spec)
  refuseLowerRisk(ctx, model, before?.spec.tier, spec.tier)
  const now = ctx.clock.iso()
  const { rows } = await sql<ModelRow>`
    insert into registry.model (workspace, name, folder, spec, created_at, changed_at)
    values (${ctx.workspace}, ${model}, ${folder ?? ''}, ${JSON.stringify(spec)}::jsonb, ${now}, ${now})
    on conflict (workspace, name) do update set
      spec = excluded.spec,
      folder = case
        when registry.model.removed_at is null then coalesce(${folder ?? null}, registry.model.folder)
        else excluded.folder end,
      changed_at = case
        when registry.model.spec = excluded.spec and registry.model.removed_at is null then registry.model.changed_at
        else excluded.changed_at end,
      created_at = case when registry.model.removed_at is null then registry.model.created_at else excluded.created_at end,
      removed_at = null
    returning ${modelColumns}
  `.execute(ctx.db)
  const [after] = rows
  if (after === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('model', model)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ owner: spec.owner, tier: spec.tier, ...(before === undefined && { created: true }) })
  if (before !== undefined) ctx.entry.facts(changedTags(before.spec.tags, spec.tags))
  if (after.folder !== (before?.folder ?? ''))
    ctx.entry.facts({ folder: { from: before?.folder ?? '', to: after.folder } })
  return modelOf(after)
})

/** Their keys: what people write into values stays out of the ledger. */
function changedTags(before: Record<string, string>, after: Record<string, string>) {
  const tagsSet = Object.keys(after).filter((key) => before[key] !== after[key])
  const tagsRemoved = Object.keys(before).filter((key) => !Object.hasOwn(after, key))
  return tagsSet.length + tagsRemoved.length > 0 ? { tagsSet, tagsRemoved } : {}
}

/** A model's tier decides how many must approve its releases, so who may lower it must be one who may change the gates. */
function refuseLowerRisk(ctx: OperationContext, model: string, before: number | undefined, after: number): void {
  if (before === undefined || after <= before || allows(ctx.actor.grants, 'policy:put', {})) return
  throw platformFailure(
    'permission_denied',
    `${ctx.actor.name} may not move ${model} from tier ${before} to ${after}`,
    {
      hint: 'A lower risk tier needs the permission policy:put.',
    },
  )
}
