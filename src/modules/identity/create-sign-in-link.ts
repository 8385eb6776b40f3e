import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { principalByName, tablesOf } from './tables.ts'
import { hashOf } from './tokens.ts'

const lifetimeMs = 10 * 60_000

export const createSignInLink = handle(contract.createSignInLink, async (ctx, { principal }) => {
  const { id } = await principalByName(ctx, principal)
  const code = ctx.ids.secret()
  const expiresAt = new Date(ctx.clock.now() + lifetimeMs).toISOString()
  await tablesOf(ctx)
    .insertInto('identity.sign_in_link')
    .values({ workspace: ctx.workspace, hash: hashOf(code), principal: id, expires_at: expiresAt, used_at: null })
    .execute()
  ctx.entry.subject('user', id)
  return { code, expiresAt }
})
