import { principalNames } from '#modules/identity/queries.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import { readAliasEntries } from './alias-moves.ts'
import * as contract from './contract.ts'

/** A page is of entries: one that took several aliases along gives as many moves, one that moved none gives none. */
export const listAliasMoves = handle(contract.listAliasMoves, async (ctx, { model, alias, limit, cursor }) => {
  const [before = Number.MAX_SAFE_INTEGER] = decodeCursor(cursor, 1) ?? []
  const found = await readAliasEntries(ctx, { model, alias, before: Number(before), limit: limit + 1 })
  const actorOf = ({ entry }: (typeof found)[number]) => entry.onBehalfOf ?? entry.actor.id
  const names = await principalNames(ctx.db, [...new Set(found.map(actorOf))])
  const { items, nextCursor } = pageFrom(
    found,
    limit,
    (one) => one,
    (one) => [one.seq],
  )
  return {
    items: items.flatMap((one) =>
      one.moves.map((move) => ({
        ...move,
        entry: one.entry.id,
        leaf: one.leaf,
        at: one.entry.at,
        operation: one.entry.operation,
        by: actorOf(one),
        byName: names.get(actorOf(one)) ?? null,
        reason: String(one.entry.facts?.reason ?? ''),
        undoes: typeof one.entry.facts?.undoes === 'string' ? one.entry.facts.undoes : null,
      })),
    ),
    nextCursor,
  }
})
