import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import type { Span } from './contract.ts'
import { readContent, readLines, readOutline, type SpanOutline } from './pack-spans.ts'
import { tracesFailure } from './tables.ts'

/** What one answer may hold. */
const mostOutlines = 250_000
const largestContent = 128 * 1024 * 1024

/** The spans of a trace by their start. Of a span that was logged twice, what came later counts. */
export async function readOutlines(db: Db, trace: string): Promise<SpanOutline[]> {
  const total = await sizeOf(db, [trace])
  if (total.spans > mostOutlines) {
    throw tracesFailure('trace_too_large', `The trace has ${total.spans} spans; ${mostOutlines} is the most`)
  }
  const { rows } = await sql<{ outline: Buffer }>`
    select outline from traces.span_chunk where trace = ${trace} order by id
  `.execute(db)
  return byStart(rows.flatMap(({ outline }) => readOutline(outline)))
}

/** The spans of each trace with all that they hold. */
export async function readWholeSpans(db: Db, traces: readonly string[]): Promise<Map<string, Span[]>> {
  const { size } = await sizeOf(db, traces)
  if (size > largestContent) {
    throw tracesFailure('trace_too_large', `The spans hold ${size} bytes; ${largestContent} is the most`)
  }
  const { rows } = await sql<ChunkRow>`
    select trace, outline, content from traces.span_chunk where trace = any(${traces}::uuid[]) order by id
  `.execute(db)
  return new Map(
    [...Map.groupBy(rows, (row) => row.trace)].map(([trace, its]) => [trace, byStart(its.flatMap(spansOf))]),
  )
}

export async function readSpan(db: Db, trace: string, span: string): Promise<Span | undefined> {
  const outlines = await sql<{ id: string; outline: Buffer }>`
    select id, outline from traces.span_chunk where trace = ${trace} order by id desc
  `.execute(db)
  const chunk = outlines.rows.find(({ outline }) => readOutline(outline).some((one) => one.span === span))
  if (chunk === undefined) return undefined
  const { rows } = await sql<{ content: Buffer }>`
    select content from traces.span_chunk where trace = ${trace} and id = ${chunk.id}
  `.execute(db)
  const spans = rows.flatMap(({ content }) => spansOf({ outline: chunk.outline, content }))
  return spans.findLast((one) => one.span === span)
}

interface ChunkRow {
  trace: string
  outline: Buffer
  content: Buffer
}

function spansOf({ outline, content }: Omit<ChunkRow, 'trace'>): Span[] {
  const lines = readLines(content)
  return readOutline(outline).map(({ span, parent, name, kind, start, end, status }, index) => ({
    span,
    parent,
    name,
    kind,
    start,
    end,
    status,
    ...readContent(lines[index] ?? ''),
  }))
}

function byStart<S extends { span: string; start: string }>(spans: readonly S[]): S[] {
  const unique = new Map(spans.map((span) => [span.span, span]))
  return [...unique.values()].sort((a, b) => a.start.length - b.start.length || compare(a.start, b.start))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function sizeOf(db: Db, traces: readonly string[]): Promise<{ spans: number; size: number }> {
  const { rows } = await sql<{ spans: number; size: string }>`
    select coalesce(sum(spans), 0)::bigint as spans, coalesce(sum(size), 0) as size
    from traces.span_chunk where trace = any(${traces}::uuid[])
  `.execute(db)
  return { spans: rows[0]?.spans ?? 0, size: Number(rows[0]?.size ?? 0) }
}
