import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import * as contract from './contract.ts'
import { tablesOf } from './tables.ts'

export const listTokens = handle(contract.listTokens, async (ctx, input) => {
  const { limit, cursor, principal, sessions, valid, ended, search } = input
  const [before] = decodeCursor(cursor, 1) ?? ['ffffffff-ffff-ffff-ffff-ffffffffffff']
  const now = ctx.clock.iso()
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
    .where('t.id', '<', String(before))
    .where('t.run', 'is', null)
    .$if(principal !== undefined, (all) => all.where('p.name', '=', principal ?? ''))
    .$if(!sessions, (all) => all.where('t.session', '=', false))
    .$if(valid, (all) =>
      all
        .where('t.revoked_at', 'is', null)
        .where((token) => token.or([token('t.expires_at', 'is', null), token('t.expires_at', '>', now)])),
    )
    .$if(ended, (all) =>
      all.where((token) => token.or([token('t.revoked_at', 'is not', null), token('t.expires_at', '<=', now)])),
    )
    .$if(search !== undefined && search !== '', (all) =>
      all.where((token) => {
        const pattern = textPattern(search ?? '')
        return token.or([token('t.name', 'ilike', pattern), token('p.name', 'ilike', pattern)])
      }),
    )
    .orderBy('t.id', 'desc')
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
