import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'

interface JoinTokenRow {
  id: string
  environment: string
  uses: number
  used: number
  created_at: string
  expires_at: string
  revoked_at: string | null
}

export const listJoinTokens = handle(contract.listJoinTokens, async (ctx, { limit, cursor }) => {
  const [before] = decodeCursor(cursor, 1) ?? ['ffffffff-ffff-ffff-ffff-ffffffffffff']
  const { rows } = await sql<JoinTokenRow>`
    select id, environment, uses, used, created_at, expires_at, revoked_at from releases.join_token
    where id < ${String(before)} order by id desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(
    rows,
    limit,
    ({ created_at, expires_at, revoked_at, ...row }) => ({
      ...row,
      createdAt: created_at,
      expiresAt: expires_at,
      revokedAt: revoked_at,
    }),
    (row) => [row.id],
  )
})
