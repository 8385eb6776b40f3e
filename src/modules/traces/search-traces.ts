import { type RawBuilder, sql } from 'kysely'
import type { Ordering } from '#algorithms/search-filter/expression.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, encodeCursor } from '#platform/names.ts'
import { afterKeys, orderBy, type SortKey, sortKeyValues } from '#platform/search-sql.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { Trace } from './contract.ts'
import * as contract from './contract.ts'
import { attributesOf, readLines, readOutline } from './pack-spans.ts'
import { nullableKeys, readFilter, reading, readOrder } from './search-sql.ts'
import { describeTraces, type TraceRow, traceColumns, tracesFailure } from './tables.ts'
import {
  type Candidate,
  type CandidateSpan,
  type Condition,
  conditionOf,
  holds,
  isForDatabase,
  widest,
} from './trace-condition.ts'
import { type TraceEntity, traceVocabulary } from './trace-vocabulary.ts'

type Sql = RawBuilder<unknown>
type Row = TraceRow & { sort_keys: (string | number)[]; answers: boolean[] }

/** What one search reads of spans, and how long it looks; then it answers what it has, and a cursor to go on from. */
const mostRead = 64 * 1024 * 1024
const longestMs = 2000
const atOnce = 200
const tracesReadAtOnce = 20

export const searchTraces = handle(contract.searchTraces, async (ctx, input) => {
  const keys = readOrder(input.orderBy, traceVocabulary).flatMap(sortKeysOf)
  keys.push(
    { expression: sql`trace.started_ms`, type: 'bigint', descending: true },
    { expression: sql`trace.id`, type: 'uuid', descending: false },
  )
  const until = ctx.clock.now() + longestMs
  const asked: Sql[] = []
  const filter = readFilter(input.filter, traceVocabulary)
  const condition = filter && reading(() => conditionOf(filter, asked))
  const within = [
    ...(input.experiments === undefined ? [] : [sql`trace.experiment = any(${input.experiments.map(Number)}::int[])`]),
    ...(input.run === undefined ? [] : [ofRun(input.run)]),
    ...(condition === undefined ? [] : [widest(condition)]),
  ]
  const after = decodeCursor(input.cursor, keys.length)
  const search = { keys, within, asked: condition === undefined || isForDatabase(condition) ? [] : asked }
  if (search.asked.length === 0 && (condition === undefined || isForDatabase(condition))) {
    const rows = await readRows(ctx.db, search, after, input.limit + 1)
    const last = rows.length > input.limit ? rows[input.limit - 1] : undefined
    const total = input.count ? await countRows(ctx.db, within) : null
    return { ...(await pageOf(ctx.db, rows.slice(0, input.limit), last)), total }
  }
  const inTime = () => ctx.clock.now() < until
  const page = await searchByReading(ctx.db, search, condition, after, { limit: input.limit, inTime })
  return { ...page, total: null }
})

interface Search {
  keys: readonly SortKey[]
  within: readonly Sql[]
  /** Conditions whose answers are read with each trace. */
  asked: readonly Sql[]
}

async function readRows(db: Db, { keys, within, asked }: Search, after: Row['sort_keys'] | undefined, limit: number) {
  const conditions = [...within, afterKeys(keys, after)]
  const { rows } = await sql<Row>`
    select ${traceColumns}, ${sortKeyValues(keys)} as sort_keys,
      array[${sql.join(asked)}]::boolean[] as answers
    from traces.trace trace where ${sql.join(conditions, sql` and `)}
    order by ${orderBy(keys)} limit ${limit}
  `.execute(db)
  return rows
}

async function countRows(db: Db, within: readonly Sql[]): Promise<number> {
  const { rows } = await sql<{ total: number }>`
    select count(*)::int as total from traces.trace trace where ${sql.join([sql`true`, ...within], sql` and `)}
  `.execute(db)
  return rows[0]?.total ?? 0
}

async function pageOf(db: Db, rows: readonly TraceRow[], last: Row | undefined) {
  return { items: await describeTraces(db, rows), nextCursor: last === undefined ? null : encodeCursor(last.sort_keys) }
}

/** A page may hold fewer than were asked for, or none: who wants more goes on with its cursor. */
async function searchByReading(
  db: Db,
  search: Search,
  condition: Condition | undefined,
  from: Row['sort_keys'] | undefined,
  { limit, inTime }: { limit: number; inTime: () => boolean },
) {
  const items: Trace[] = []
  const spans = new SpanReader(db)
  let after = from
  do {
    const rows = await readRows(db, search, after, atOnce)
    const described = await describeTraces(db, rows)
    spans.next(rows.map((row) => row.id))
    for (const [index, row] of rows.entries()) {
      const trace = described[index]
      const candidate: Candidate = { ...row, assessments: trace?.assessments ?? [], spans: () => spans.of(row.id) }
      after = row.sort_keys
      if (trace !== undefined && (condition === undefined || (await holds(condition, candidate)))) items.push(trace)
      if (items.length === limit || spans.read >= mostRead || !inTime())
        return { items, nextCursor: encodeCursor(row.sort_keys) }
    }
    if (rows.length < atOnce) return { items, nextCursor: null }
  } while (inTime())
  return { items, nextCursor: after === undefined ? null : encodeCursor(after) }
}

/** Reads the spans of some traces at once when one of them is first asked for, as long as not too much was read. */
class SpanReader {
  read = 0
  readonly #db: Db
  #coming: string[] = []
  #here = new Map<string, CandidateSpan[]>()

  constructor(db: Db) {
    this.#db = db
  }

  next(traces: readonly string[]): void {
    this.#coming = [...traces]
    this.#here = new Map()
  }

  async of(trace: string): Promise<CandidateSpan[]> {
    const known = this.#here.get(trace)
    if (known !== undefined) return known
    const at = this.#coming.indexOf(trace)
    const ids = this.#coming.slice(at, at + tracesReadAtOnce)
    const { rows } = await sql<{ trace: string; outline: Buffer; content: Buffer; size: number }>`
      select trace, outline, content, size from traces.span_chunk where trace = any(${ids}::uuid[]) order by id
    `.execute(this.#db)
    this.#here = new Map(ids.map((id) => [id, []]))
    for (const { trace: of, outline, content, size } of rows) {
      this.read += size
      const lines = readLines(content)
      this.#here
        .get(of)
        ?.push(
          ...readOutline(outline).map((span, index) => ({ ...span, attributes: attributesOf(lines[index] ?? '') })),
        )
    }
    return this.#here.get(trace) ?? []
  }
}

function ofRun(run: string): Sql {
  return sql`(trace.metadata ->> 'mlflow.sourceRun' = ${run.replaceAll('-', '')}
    or exists (select 1 from traces.run_link link where link.workspace = trace.workspace
      and link.trace = trace.id and link.run = ${run}))`
}

const columns: Readonly<Record<string, [Sql, 'bigint' | 'text']>> = {
  id: [sql`trace.id::text`, 'text'],
  experiment: [sql`trace.experiment::bigint`, 'bigint'],
  started: [sql`trace.started_ms`, 'bigint'],
  ended: [sql`trace.ended_ms`, 'bigint'],
  duration: [sql`(trace.ended_ms - trace.started_ms)`, 'bigint'],
  status: [sql`upper(trace.state)`, 'text'],
  name: [sql`trace.name`, 'text'],
  client_request: [sql`trace.client_request`, 'text'],
  run: [sql`(trace.metadata ->> 'mlflow.sourceRun')`, 'text'],
}

function sortKeysOf({ entity, key, descending }: Ordering<TraceEntity>): SortKey[] {
  const labels = entity === 'tag' ? sql`trace.tags` : entity === 'metadata' ? sql`trace.metadata` : undefined
  if (labels !== undefined) return nullableKeys(sql`(${labels} ->> ${key})`, 'text', descending)
  const column = entity === 'attribute' ? columns[key] : undefined
  if (column === undefined) throw tracesFailure('trace_search_invalid', `Traces cannot be ordered by ${entity} ${key}`)
  return nullableKeys(...column, descending)
}
