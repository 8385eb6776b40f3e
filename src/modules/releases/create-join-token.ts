import { hash } from 'node:crypto'
import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { writeJoinTicket } from '#platform/join-ticket.ts'
import { durationMs } from '#platform/names.ts'
import { reachableUrl } from '#platform/tls/server-names.ts'
import * as contract from './contract.ts'
import { hashOfSecret } from './join-tokens.ts'
import { planKey } from './plan-key.ts'

export const createJoinToken = handle(contract.createJoinToken, async (ctx, input) => {
  const { environment, uses, expiresIn } = input
  const { config, tls } = ctx.services
  const id = ctx.ids.next()
  const secret = ctx.ids.secret()
  const expiresAt = new Date(ctx.clock.now() + durationMs(expiresIn)).toISOString()
  await sql`
    insert into releases.join_token (workspace, id, hash, environment, uses, created_at, expires_at)
    values (${ctx.workspace}, ${id}, ${hashOfSecret(secret)}, ${environment}, ${uses}, ${ctx.clock.iso()}, ${expiresAt})
  `.execute(ctx.db)
  ctx.entry.subject('join-token', id)
  ctx.entry.facts({ environment, uses, expiresAt })
  const addresses = input.addresses.length > 0 ? input.addresses : [reachableUrl(config)]
  // The last of the chain: an authority outlives the certificates that it issues.
  const anchor = tls?.chain().at(-1)
  const pin =
    anchor === undefined ? null : hash('sha256', anchor.publicKey.export({ type: 'spki', format: 'der' }), 'hex')
  const planKeys = [planKey(config.dataDir).keyId]
  const joinToken = writeJoinTicket({ v: 1, secret, environment, addresses, pin, planKeys })
  return { id, joinToken, environment, addresses, pinned: pin !== null, uses, expiresAt }
})
