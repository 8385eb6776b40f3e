import { sql } from 'kysely'
import { handle, type OperationContext } from '../context.ts'
import { platformFailure } from '../errors.ts'
import { lockObjects } from '../storage/objects/lock-objects.ts'
import * as contract from './contract.ts'
import { graceMs } from './withdraw-objects.ts'

/**
 * Bytes are deleted before the commit: a crash between leaves rows that say too much, and the next attempt finds the
 * bytes gone and says so.
 */
export const removeObjects = handle(contract.removeObjects, async (ctx, { digests, used }) => {
  if (ctx.actor.kind !== 'system') throw platformFailure('permission_denied', 'Only Pave itself removes objects')
  await lockObjects(ctx.db, digests, 'alone')
  await keep(ctx, used)
  const unused = digests.filter((digest) => !used.includes(digest))
  const removed = { objects: 0, bytes: 0 }
  for (const digest of await ripeOf(ctx, unused)) {
    const deleted = await ctx.services.objects.deleteOlder?.(digest, ctx.clock.now() - graceMs)
    if (deleted === 'newer') {
      await keep(ctx, [digest])
      continue
    }
    await sql`delete from platform.released_object where digest = ${digest}`.execute(ctx.db)
    if (deleted === undefined) continue
    removed.objects += 1
    removed.bytes += deleted.size
    // Not as a subject: that would say that the workspace has it.
    ctx.entry.input('object', digest)
  }
  const { rows } = await sql`
    update platform.released_object set unreferenced_since = coalesce(unreferenced_since, ${ctx.clock.iso()})
    where digest = any(${unused}::text[]) returning 1
  `.execute(ctx.db)
  ctx.entry.facts({ ...removed })
  return { ...removed, used: used.length, waiting: rows.length }
})

/** Something refers to them, or they were just uploaded: they count as they did before. */
async function keep(ctx: OperationContext, digests: readonly string[]): Promise<void> {
  await sql`
    update platform.released_object set unreferenced_since = null where digest = any(${digests}::text[])
  `.execute(ctx.db)
  await sql`delete from platform.withdrawn_object where digest = any(${digests}::text[])`.execute(ctx.db)
}

async function ripeOf(ctx: OperationContext, digests: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ digest: string }>`
    select digest from platform.released_object released join platform.withdrawn_object using (digest)
    where digest = any(${digests}::text[])
      and unreferenced_since < ${new Date(ctx.clock.now() - graceMs).toISOString()}
    order by digest
  `.execute(ctx.db)
  return rows.map(({ digest }) => digest)
}
