import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { readOutlines } from './read-chunks.ts'
import { requireTrace } from './tables.ts'

/** In columns, because a trace may have tens of thousands of spans and each would repeat the names of its fields. */
export const listSpans = handle(contract.listSpans, async (ctx, { trace }) => {
  const { id } = await requireTrace(ctx.db, trace)
  const spans = await readOutlines(ctx.db, id)
  const start = BigInt(spans[0]?.start ?? 0)
  return {
    start: String(start),
    span: spans.map((one) => one.span),
    parent: spans.map((one) => one.parent),
    name: spans.map((one) => one.name),
    type: spans.map((one) => one.type),
    status: spans.map((one) => one.status),
    offset: spans.map((one) => Number(BigInt(one.start) - start)),
    duration: spans.map((one) => (one.end === null ? null : Math.max(0, Number(BigInt(one.end) - BigInt(one.start))))),
    tokens: spans.map((one) => one.usage?.total ?? null),
  }
})
