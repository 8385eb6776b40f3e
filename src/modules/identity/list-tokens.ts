import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { tablesOf } from './tables.ts'

export const listTokens = handle(contract.listTokens, async (ctx, { limit, cursor, principal, sessions, valid }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['00000000-0000-0000-0000-000000000000']
  const rows = await tablesOf(ctx)
    .selectFrom('identity.token as t')
    .innerJoin('identity.principal as p', (join) =>
      join.onRef('p.workspace', '=', 't.workspace').onRef('p.id', '=', 't.principal'),
    )
    .select([
      't.id',
      't.name',
      'p.name as principal',
      't.expires_at',
      't.revoked_at',
      't.endpoints',
      't.created_at',
      't.session',
    ])
    .where('t.id', '>', String(after))
    .where('t.run', 'is', null)
    .$if(principal !== undefined, (all) => all.where('p.name', '=', principal ?? ''))
    .$if(!sessions, (all) => all.where('t.session', '=', false))
    .$if(valid, (all) =>
      all
        .where('t.revoked_at', 'is', null)
        .where((token) => token.or([token('t.expires_at', 'is', null), token('t.expires_at', '>', ctx.clock.iso())])),
    )
    .orderBy('t.id')
    .limit(limit + 1)
    .execute()
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
