import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { readSpan } from './read-chunks.ts'
import { requireTrace, tracesFailure } from './tables.ts'

export const getSpan = handle(contract.getSpan, async (ctx, { trace, span }) => {
  const { id } = await requireTrace(ctx.db, trace)
  const found = await readSpan(ctx.db, id, span)
  if (found === undefined) throw tracesFailure('span_not_found', `The trace ${trace} has no span ${span}`)
  return found
})
