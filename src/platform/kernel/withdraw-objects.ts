import { sql } from 'kysely'
import { handle } from '../context.ts'
import { platformFailure } from '../errors.ts'
import { lockObjects } from '../storage/objects/lock-objects.ts'
import * as contract from './contract.ts'

/** Released objects to which nothing referred for so long may go; no transaction and no upload takes a part of it. */
export const graceMs = 86_400_000

/** From the next transaction on, what the ledger said of them before counts no more: who needs the bytes uploads them. */
export const withdrawObjects = handle(contract.withdrawObjects, async (ctx, { digests }) => {
  if (ctx.actor.kind !== 'system') throw platformFailure('permission_denied', 'Only Pave itself withdraws objects')
  await lockObjects(ctx.db, digests, 'alone')
  const { rows } = await sql`
    insert into platform.withdrawn_object (digest, entry)
    select digest, ${ctx.operationId} from platform.released_object
    where digest = any(${digests}::text[]) and unreferenced_since < ${new Date(ctx.clock.now() - graceMs).toISOString()}
    on conflict (digest) do update set entry = excluded.entry returning 1
  `.execute(ctx.db)
  ctx.entry.facts({ withdrawn: rows.length })
  return { withdrawn: rows.length }
})
