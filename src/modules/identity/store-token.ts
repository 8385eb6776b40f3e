import type { OperationContext } from '#platform/context.ts'
import { tablesOf } from './tables.ts'
import { newToken } from './tokens.ts'

/** Keeps the hash of a fresh token; the answer holds the only copy of the token itself. */
export async function storeToken(
  ctx: OperationContext,
  wanted: {
    principal: string
    name: string
    expiresIn: number | null
    endpoints: string[]
    run: string | null
    /** A session of the console; the token that opened it, or null when a sign-in link did. */
    session?: { openedBy: string | null }
  },
): Promise<{ id: string; token: string; expiresAt: string | null }> {
  const { id, token, hash } = newToken(ctx.ids)
  const expiresAt = wanted.expiresIn === null ? null : new Date(ctx.clock.now() + wanted.expiresIn * 1000).toISOString()
  await tablesOf(ctx)
    .insertInto('identity.token')
    .values({
      workspace: ctx.workspace,
      id,
      principal: wanted.principal,
      name: wanted.name,
      hash,
      created_at: ctx.clock.iso(),
      expires_at: expiresAt,
      revoked_at: null,
      endpoints: wanted.endpoints,
      run: wanted.run,
      session: wanted.session !== undefined,
      opened_by: wanted.session?.openedBy ?? null,
    })
    .execute()
  ctx.entry.subject('token', id)
  ctx.entry.subject('user', wanted.principal)
  ctx.entry.facts({ expiresAt, endpoints: wanted.endpoints })
  return { id, token, expiresAt }
}
