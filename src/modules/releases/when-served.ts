import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import { readServedHistory } from './read-served.ts'
import * as contract from './served-contract.ts'
import { newestFirst, type Share, type Span } from './served-spans.ts'

/** A span of one version on one endpoint, in one role with one share. */
interface VersionSpan extends Omit<Span, 'traffic'> {
  environment: string
  endpoint: string
  share: Share
}

export const whenServed = handle(contract.whenServed, async (ctx, input) => {
  const { model, version, environment, limit, cursor } = input
  const wanted = (ref: string) => (version === undefined ? ref.startsWith(`${model}@`) : ref === `${model}@${version}`)
  const at = input.at === undefined ? undefined : Date.parse(input.at)
  const spans: VersionSpan[] = []
  for (const on of await endpointsOf(ctx, model, environment)) {
    const history = await readServedHistory(ctx, on.environment, on.endpoint)
    spans.push(...byVersion(history.spans, on).filter(({ share }) => wanted(share.version)))
  }
  const asked = spans.filter(
    ({ from, until }) =>
      at === undefined || (Date.parse(from) <= at && (until === null ? Infinity : Date.parse(until)) > at),
  )
  const keyOf = ({ step, share }: VersionSpan) => `${step.entry} ${share.version} ${share.variant}`
  const [last] = decodeCursor(cursor, 1) ?? []
  return pageFrom(
    newestFirst(asked, keyOf, last?.toString()).slice(0, limit + 1),
    limit,
    (span) => ({
      environment: span.environment,
      endpoint: span.endpoint,
      ...span.share,
      from: span.from,
      until: span.until,
      change: span.step.change,
      generation: span.generation,
      entry: span.step.entry,
    }),
    (span) => [keyOf(span)],
  )
})

/** Endpoints that a model was ever released to; one that is for the model now may have been for another. */
async function endpointsOf(ctx: OperationContext, model: string, environment: string | undefined) {
  const { rows } = await sql<{ environment: string; endpoint: string }>`
    select distinct environment, endpoint from releases.release
    where starts_with(version, ${model} || '@') and environment = coalesce(${environment ?? null}, environment)
    order by environment, endpoint limit 200
  `.execute(ctx.db)
  return rows
}

/** A version whose share stays as it was is not interrupted by what changes about others. */
function byVersion(spans: readonly Span[], on: { environment: string; endpoint: string }): VersionSpan[] {
  const open = new Map<string, VersionSpan>()
  const all: VersionSpan[] = []
  for (const { traffic, ...span } of spans) {
    const now = new Map(traffic.map((share) => [`${share.version} ${share.variant} ${share.weight}`, share]))
    for (const [key, before] of open) {
      if (now.has(key)) before.until = span.until
      else open.delete(key)
    }
    for (const [key, share] of now) {
      if (open.has(key)) continue
      const begun = { ...span, ...on, share }
      open.set(key, begun)
      all.push(begun)
    }
  }
  return all
}
