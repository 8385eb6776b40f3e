import { sql } from 'kysely'
import type { OperationContext } from '../../context.ts'
import type { StoredObject } from './object-store.ts'

/**
 * Says, in the transaction that removed a reference to these objects, that they may have been the last. Their bytes go
 * when `free-objects` has found nothing else that refers to them.
 */
export async function releaseObjects(ctx: OperationContext, objects: readonly StoredObject[]): Promise<void> {
  const sizes = new Map(objects.map(({ digest, size }) => [digest, size]))
  const digests = [...sizes.keys()].sort()
  if (digests.length === 0) return
  await sql`
    insert into platform.released_object as known (workspace, digest, size, released_at)
    select ${ctx.workspace}, digest, size, ${ctx.clock.iso()}
    from unnest(${digests}::text[], ${digests.map((digest) => sizes.get(digest) ?? 0)}::bigint[]) as given (digest, size)
    on conflict (workspace, digest) do update set released_at = excluded.released_at, unreferenced_since = null
  `.execute(ctx.db)
}
