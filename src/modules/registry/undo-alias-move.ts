import { handle, type OperationContext } from '#platform/context.ts'
import { type AliasEntry, canBeUndone, readAliasEntries } from './alias-moves.ts'
import * as contract from './contract.ts'
import { moveAlias } from './move-alias.ts'
import { requireModel } from './queries.ts'
import { registryFailure } from './tables.ts'

/** A move back, and itself a move that can be undone. Where somebody has moved the alias since, theirs stays. */
export const undoAliasMove = handle(contract.undoAliasMove, async (ctx, { model, alias, move, reason }) => {
  // Its row is what every move of an alias locks: none comes between the look and the move.
  await requireModel(ctx.db, model, true)
  const last = await lastMove(ctx, model, alias)
  const [moved] = last?.moves ?? []
  if (last === undefined || moved === undefined || last.entry.id !== move) {
    const at = moved?.to ?? null
    throw registryFailure(
      'alias_moved',
      `${alias} was moved since, and is ${at === null ? 'at no version' : `at version ${at}`}`,
      { details: { version: at } },
    )
  }
  if (!canBeUndone(last.entry.operation)) {
    throw registryFailure('alias_move_final', `${alias} went with what ${last.entry.operation} took away`)
  }
  await moveAlias(ctx, { model, alias, to: moved.from, from: moved.to, reason, undoes: move })
  return { model, alias, version: moved.from }
})

async function lastMove(ctx: OperationContext, model: string, alias: string): Promise<AliasEntry | undefined> {
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const entries = await readAliasEntries(ctx, { model, alias, before, limit: 50 })
    const found = entries.find((one) => one.moves.length > 0)
    const oldest = entries.at(-1)
    if (found !== undefined || oldest === undefined) return found
    before = oldest.seq
  }
}
