import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import { takenAt } from './read-node-reports.ts'
import { describeSpans, readServedHistory } from './read-served.ts'
import * as contract from './served-contract.ts'
import { newestFirst, type Span } from './served-spans.ts'
import { findEndpoint } from './tables.ts'

export const listServedSpans = handle(contract.listServedSpans, async (ctx, input) => {
  const { environment, endpoint, limit, cursor } = input
  await findEndpoint(ctx.db, environment, endpoint)
  const history = await readServedHistory(ctx, environment, endpoint)
  const after = input.from === undefined ? -Infinity : Date.parse(input.from)
  const before = input.until === undefined ? Infinity : Date.parse(input.until)
  const within = ({ from, until }: Span) =>
    Date.parse(from) < before && (until === null ? Infinity : Date.parse(until)) > after
  const keyOf = (span: Span) => span.step.entry
  const [last] = decodeCursor(cursor, 1) ?? []
  const page = pageFrom(
    newestFirst(history.spans.filter(within), keyOf, last?.toString()).slice(0, limit + 1),
    limit,
    (span) => span,
    (span) => [keyOf(span)],
  )
  const described = await describeSpans(ctx, history, page.items)
  const taken = await takenAt(ctx, environment, page.items)
  const items = described.map((span, index) => {
    const times = [...(taken[index]?.values() ?? [])].sort()
    return { ...span, taken: { nodes: times.length, first: times[0] ?? null, last: times.at(-1) ?? null } }
  })
  return { items, nextCursor: page.nextCursor }
})
