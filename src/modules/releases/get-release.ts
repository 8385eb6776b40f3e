import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findRelease, releaseOf } from './tables.ts'

export const getRelease = handle(contract.getRelease, async (ctx, { release }) =>
  releaseOf(ctx.db, await findRelease(ctx.db, release)),
)
