import { type RawBuilder, sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { trackingFailure } from './tables.ts'

/**
 * Assignments of an update that moves an experiment or run to the trash, takes it out, or leaves it where it is. Deleting
 * it again does not begin its time in the trash anew.
 */
export function stateColumns(ctx: OperationContext, state: 'active' | 'deleted' | undefined): RawBuilder<unknown> {
  if (state === undefined) return sql`state = state`
  if (state === 'active') return sql`state = 'active', removed_at = null, removed_by = null`
  return sql`
    state = 'deleted',
    removed_at = coalesce(removed_at, ${ctx.clock.iso()}::timestamptz),
    removed_by = case when removed_at is null then ${ctx.actor.onBehalfOf ?? ctx.actor.id}::uuid else removed_by end
  `
}

/** Locks the row, so that a purge begins before or after and not between. */
export async function requireRestorable(db: Db, table: 'experiment' | 'run', id: string | number): Promise<void> {
  const { rows } = await sql<{ purging: boolean }>`
    select purging from ${sql.table(`tracking.${table}`)} where id = ${id} for update
  `.execute(db)
  if (rows[0]?.purging === true) throw trackingFailure('being_purged', `The ${table} ${id} is being purged`)
}
