import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import { releaseTwins } from './release-twins.ts'

/** Takes a version, or all of a model, out of lists, with the aliases that point there and the twins. */
export async function removeVersions(ctx: OperationContext, model: string, version: number | null): Promise<void> {
  await releaseTwins(ctx, model, version)
  await sql`
    delete from registry.alias where model = ${model} and (${version}::int is null or version = ${version})
  `.execute(ctx.db)
  await sql`
    insert into registry.version_state (workspace, model, version, changed_at, removed_at)
    select workspace, model, version, ${ctx.clock.iso()}, ${ctx.clock.iso()} from registry.version
    where model = ${model} and (${version}::int is null or version = ${version})
    on conflict (workspace, model, version) do update
      set removed_at = coalesce(version_state.removed_at, excluded.removed_at), changed_at = excluded.changed_at
  `.execute(ctx.db)
}
