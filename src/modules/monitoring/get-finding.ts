import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findingOf, requireFinding } from './tables.ts'

export const getFinding = handle(contract.getFinding, async (ctx, { finding }) =>
  findingOf(await requireFinding(ctx.db, finding)),
)
