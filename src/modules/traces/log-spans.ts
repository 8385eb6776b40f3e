import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import type { InputOf } from '#platform/operation.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { TraceState } from './contract.ts'
import * as contract from './contract.ts'
import { addUsage, digestBytes, packSpans, readOutline, type SpanChunk, type SpanOutline } from './pack-spans.ts'
import { jsonOf, type KnownAttributes, parseAttributes, previewOf, readAttributes } from './read-attributes.ts'
import { keepable, keepableTags, openExperiment, prefixed, uuidOf } from './tables.ts'

type GivenSpan = InputOf<typeof contract.logSpans>['spans'][number] & { known: KnownAttributes }

/** What one request tells of one trace. */
interface Part {
  id: string
  startedMs: number
  endedMs: number | null
  /** From the span without a parent, when it is among them. */
  state: TraceState | null
  name: string | null
  requestPreview: string | null
  responsePreview: string | null
  tags: Record<string, string>
  metadata: Record<string, string>
  usage: ReturnType<typeof addUsage>
  chunks: SpanChunk[]
}

/** Exporters send again what they do not know to have arrived; a chunk that is there already is simply there. */
export const logSpans = handle(contract.logSpans, async (ctx, { experiment, spans, resources }) => {
  const number = await openExperiment(ctx, experiment)
  const tags = resourceTags(resources)
  const known = spans.map((span, index) => {
    const attributes = readAttributes(parseAttributes(span.attributes, `the span ${span.span}`))
    for (const { attributes } of [...span.events, ...span.links]) parseAttributes(attributes, `the span ${span.span}`)
    return { ...span, known: attributes, tags: tags(index) }
  })
  // In the order of their ids, so that two requests never wait for each other.
  const parts = [...Map.groupBy(known, (span) => span.trace)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([trace, its]) => partOf(trace, its, its[0]?.tags ?? {}))
  const fresh = await putTraces(ctx, number, parts)
  const added = await putChunks(ctx, parts)
  await addUsageAgain(
    ctx.db,
    parts.filter((part) => !fresh.has(part.id) && (part.usage.tokens !== null || part.usage.cost !== null)),
  )
  for (const part of parts.slice(0, mostSubjects)) ctx.entry.subject('trace', prefixed('tr', part.id))
  ctx.entry.facts({ traces: parts.length, spans: added })
  return { traces: parts.length, spans: added }
})

/** An entry of the ledger names no more than these; the facts have the count. */
const mostSubjects = 100
/** More chunks than these are not read again each time that one is added. */
const mostReadAgain = 200

function resourceTags(resources: InputOf<typeof contract.logSpans>['resources']) {
  const tags = resources.map(({ attributes, from, to }) => {
    const entries = Object.entries(parseAttributes(attributes, 'a resource'))
      .filter(([key]) => key !== '' && key.length <= 250 && !/^(telemetry\.sdk\.|mlflow\.)/.test(key))
      .slice(0, 100)
      .map(([key, value]) => [key, (typeof value === 'string' ? value : jsonOf(value)).slice(0, 8000)] as const)
    return { from, to, tags: Object.fromEntries(entries) }
  })
  return (index: number) => tags.find(({ from, to }) => from <= index && index < to)?.tags ?? {}
}

function partOf(trace: string, spans: readonly GivenSpan[], resource: Record<string, string>): Part {
  const root = spans.find((span) => span.parent === null)
  const millis = (nanos: string) => Number(BigInt(nanos) / 1_000_000n)
  const ends = spans.flatMap(({ end }) => (end === null ? [] : [millis(end)]))
  const session = spans.find((span) => span.known.session !== null)?.known.session
  const user = spans.find((span) => span.known.user !== null)?.known.user
  const { 'mlflow.traceName': given, ...rootTags } = root?.known.traceTags ?? {}
  return {
    id: uuidOf(trace),
    startedMs: spans.reduce((first, { start }) => Math.min(first, millis(start)), Number.MAX_SAFE_INTEGER),
    endedMs: ends.length === 0 ? null : ends.reduce((last, end) => Math.max(last, end)),
    state: root === undefined ? null : root.status === 'error' ? 'error' : 'ok',
    name: root === undefined ? null : keepable(given ?? root.name),
    requestPreview: previewOf(root?.known.inputs, 'user'),
    responsePreview: previewOf(root?.known.outputs, 'assistant'),
    tags: keepableTags({ ...resource, ...rootTags }),
    metadata: {
      ...(session != null && { 'mlflow.trace.session': session }),
      ...(user != null && { 'mlflow.trace.user': user }),
    },
    usage: addUsage(
      spans.map((span) => ({ ...span, type: span.known.type, usage: span.known.usage, cost: span.known.cost })),
    ),
    chunks: packSpans(spans),
  }
}

/** Answers which of them were not there before. What people or clients said of a trace before stays as it is. */
async function putTraces(ctx: OperationContext, experiment: number, parts: readonly Part[]): Promise<Set<string>> {
  const of = <T>(read: (part: Part) => T) => parts.map(read)
  const { rows } = await sql<{ id: string; fresh: boolean }>`
    insert into traces.trace as trace (workspace, id, experiment, name, state, started_ms, ended_ms, request_preview,
      response_preview, tags, metadata, input_tokens, output_tokens, total_tokens, cost, recorded)
    select ${ctx.workspace}::uuid, part.id, ${experiment}::int, part.name, coalesce(part.state, 'in_progress'),
      part.started_ms, part.ended_ms, part.request_preview, part.response_preview, part.tags, part.metadata,
      part.input_tokens, part.output_tokens, part.total_tokens, part.cost, false
    from unnest(
      ${of((part) => part.id)}::uuid[], ${of((part) => part.name)}::text[], ${of((part) => part.state)}::text[],
      ${of((part) => part.startedMs)}::bigint[], ${of((part) => part.endedMs)}::bigint[],
      ${of((part) => part.requestPreview)}::text[], ${of((part) => part.responsePreview)}::text[],
      ${of((part) => JSON.stringify(part.tags))}::jsonb[], ${of((part) => JSON.stringify(part.metadata))}::jsonb[],
      ${of((part) => part.usage.tokens?.input ?? null)}::bigint[],
      ${of((part) => part.usage.tokens?.output ?? null)}::bigint[],
      ${of((part) => part.usage.tokens?.total ?? null)}::bigint[], ${of((part) => part.usage.cost)}::float8[]
    ) as part(id, name, state, started_ms, ended_ms, request_preview, response_preview, tags, metadata,
      input_tokens, output_tokens, total_tokens, cost)
    order by part.id
    on conflict (workspace, id) do update set
      name = coalesce(trace.name, excluded.name),
      state = case when trace.recorded or excluded.state = 'in_progress' then trace.state else excluded.state end,
      started_ms = case when trace.recorded then trace.started_ms else least(trace.started_ms, excluded.started_ms) end,
      ended_ms = case when trace.recorded then trace.ended_ms else greatest(trace.ended_ms, excluded.ended_ms) end,
      request_preview = coalesce(trace.request_preview, excluded.request_preview),
      response_preview = coalesce(trace.response_preview, excluded.response_preview),
      tags = excluded.tags || trace.tags,
      metadata = excluded.metadata || trace.metadata
    returning id, xmax = 0 as fresh
  `.execute(ctx.db)
  return new Set(rows.flatMap((row) => (row.fresh ? [row.id] : [])))
}

/** Answers how many spans were not there before. */
async function putChunks(ctx: OperationContext, parts: readonly Part[]): Promise<number> {
  const chunks = parts.flatMap((part) => part.chunks.map((chunk) => ({ trace: part.id, ...chunk })))
  const of = <T>(read: (chunk: (typeof chunks)[number]) => T) => chunks.map(read)
  // All bytes as one value, of which each row takes its part: in a list they would travel as hexadecimal text.
  const bytes = Buffer.concat(chunks.flatMap(({ digest, outline, content }) => [digest, outline, content]))
  const { rows } = await sql<{ spans: number }>`
    with added as (
      insert into traces.span_chunk
        (workspace, trace, digest, id, spans, names, types, statuses, outline, content, size)
      select ${ctx.workspace}::uuid, chunk.trace, substring(given.bytes from chunk.at for ${digestBytes}::int),
        chunk.id, chunk.spans,
        array(select jsonb_array_elements_text(chunk.shapes -> 0)),
        array(select jsonb_array_elements_text(chunk.shapes -> 1)),
        array(select jsonb_array_elements_text(chunk.shapes -> 2)),
        substring(given.bytes from chunk.at + ${digestBytes}::int for chunk.outline),
        substring(given.bytes from chunk.at + ${digestBytes}::int + chunk.outline for chunk.content), chunk.size
      from (select ${bytes}::bytea as bytes) as given, unnest(
        ${of((chunk) => chunk.trace)}::uuid[], ${of(() => ctx.ids.next())}::uuid[],
        ${of((chunk) => chunk.spans)}::int[],
        ${of(({ names, types, statuses }) => JSON.stringify([names, types, statuses]))}::jsonb[],
        ${beginnings(chunks)}::int[], ${of((chunk) => chunk.outline.length)}::int[],
        ${of((chunk) => chunk.content.length)}::int[], ${of((chunk) => chunk.size)}::bigint[]
      ) as chunk(trace, id, spans, shapes, at, outline, content, size)
      on conflict do nothing
      returning spans
    )
    select coalesce(sum(spans), 0)::int as spans from added
  `.execute(ctx.db)
  return rows[0]?.spans ?? 0
}

/** Where the bytes of each chunk begin, counted from 1. */
function beginnings(chunks: readonly SpanChunk[]): number[] {
  let at = 1
  return chunks.map(({ outline, content }) => {
    const begin = at
    at += digestBytes + outline.length + content.length
    return begin
  })
}

/** What a parent reports may already hold what its children do, and they may have come in different requests. */
async function addUsageAgain(db: Db, parts: readonly Part[]): Promise<void> {
  for (const { id } of parts) {
    const { rows } = await sql<{ outline: Buffer }>`
      select chunk.outline from traces.span_chunk chunk join traces.trace trace on trace.workspace = chunk.workspace
        and trace.id = chunk.trace and not (trace.recorded and trace.total_tokens is not null)
      where chunk.trace = ${id} order by chunk.id desc limit ${mostReadAgain}
    `.execute(db)
    const spans: SpanOutline[] = rows.toReversed().flatMap(({ outline }) => readOutline(outline))
    if (spans.length === 0) continue
    const { tokens, cost } = addUsage(spans)
    await sql`
      update traces.trace set input_tokens = ${tokens?.input ?? null}, output_tokens = ${tokens?.output ?? null},
        total_tokens = ${tokens?.total ?? null}, cost = coalesce(${cost}, cost)
      where id = ${id}
    `.execute(db)
  }
}
