import { type RawBuilder, sql } from 'kysely'
import type { Comparison, Ordering } from '#algorithms/search-filter/expression.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { type RunEntity, type RunExpression, requiredComparisons } from './run-expression.ts'

/** Rows of one table of values that an index finds, as `candidate`. Every run that is wanted has one of them. */
export interface Candidate {
  table: RawBuilder<unknown>
  /** What the index decides. */
  found: RawBuilder<boolean>
  /** One value of one label: the index then has its runs newest first. */
  single: boolean
}

/**
 * Where a search begins: at few runs that an index of values finds, at the values of the metric that it is ordered by,
 * at the newest runs with one label, or at the newest runs. All of them answer the same.
 */
export type Source =
  | { kind: 'few'; candidate: Candidate }
  | { kind: 'metric'; ordering: Ordering<RunEntity>; range: RawBuilder<boolean> | undefined }
  | { kind: 'label'; candidate: Candidate }
  | { kind: 'newest' }

/** So many runs are looked at and sorted in some 20 ms. */
const few = 5000

/**
 * The indexes are asked how many rows they would give, up to `few`: the planner would estimate it from the statistics of
 * all keys together, and one wrong estimate costs seconds.
 */
export async function chooseSource(
  db: Db,
  experiments: readonly number[],
  expression: RunExpression | undefined,
  orderings: readonly Ordering<RunEntity>[],
): Promise<Source> {
  const required = requiredComparisons(expression)
  const candidates = candidatesOf(required)
  const counts = await countUpTo(db, experiments, candidates)
  const least = Math.min(...counts)
  const best = candidates[counts.indexOf(least)]
  if (best !== undefined && least <= few) return { kind: 'few', candidate: best }
  const [first] = orderings
  if (first?.entity === 'metric') return { kind: 'metric', ordering: first, range: rangeOf(required, first.key) }
  const label = candidates.find((candidate) => candidate.single)
  const newest = first === undefined || (first.entity === 'attribute' && first.key === 'startedAt' && first.descending)
  return newest && label !== undefined ? { kind: 'label', candidate: label } : { kind: 'newest' }
}

async function countUpTo(db: Db, experiments: readonly number[], candidates: readonly Candidate[]): Promise<number[]> {
  if (candidates.length === 0) return []
  const counts = candidates.map(
    ({ table, found }) => sql`(select count(*) from (
      select 1 from ${table} candidate where candidate.experiment = any(${experiments}::int[]) and ${found} limit ${few + 1}
    ) counted)`,
  )
  const { rows } = await sql<{ counts: number[] }>`select jsonb_build_array(${sql.join(counts)}) as counts`.execute(db)
  return rows[0]?.counts ?? []
}

function candidatesOf(required: readonly Comparison<RunEntity>[]): Candidate[] {
  const metrics = [...new Set(required.filter(isRange).map(({ key }) => key))].flatMap((key) => {
    const range = rangeOf(required, key)
    if (range === undefined) return []
    return [
      { table: sql`tracking.run_metric`, found: sql<boolean>`candidate.key = ${key} and ${range}`, single: false },
    ]
  })
  return [...metrics, ...required.flatMap(labelCandidate)]
}

function isRange({ entity, comparator }: Comparison<RunEntity>): boolean {
  return entity === 'metric' && comparator !== '!='
}

/** Everything that is required of one metric, NaN left out as it meets no comparison. */
function rangeOf(required: readonly Comparison<RunEntity>[], key: string): RawBuilder<boolean> | undefined {
  const bounds = required.filter((one) => isRange(one) && one.key === key)
  if (bounds.length === 0) return undefined
  const parts = bounds.map(({ comparator, value }) => sql`candidate.value ${sql.raw(comparator)} ${value}::float8`)
  return sql<boolean>`candidate.value < 'NaN' and ${sql.join(parts, sql` and `)}`
}

function labelCandidate({ entity, key, comparator, value }: Comparison<RunEntity>): Candidate[] {
  if (entity !== 'param' && entity !== 'tag') return []
  const table = entity === 'param' ? sql`tracking.param` : sql`tracking.run_tag`
  const candidate = (found: RawBuilder<unknown>, single = false) => [
    { table, found: sql<boolean>`candidate.key = ${key} and ${found}`, single },
  ]
  if (comparator === '=') return candidate(sql`candidate.beginning = ${beginningOf(String(value))}`, true)
  if (comparator === 'in' && Array.isArray(value)) {
    return candidate(sql`candidate.beginning = any(${value.map((one) => beginningOf(String(one)))}::text[])`)
  }
  const prefix = comparator === 'like' ? beginningOf(/^[^%_\\]*/.exec(String(value))?.[0] ?? '') : ''
  const last = [...prefix].at(-1)?.codePointAt(0)
  if (last === undefined || last >= 0xd7ff) return []
  const end = prefix.slice(0, -1) + String.fromCodePoint(last + 1)
  return candidate(sql`candidate.beginning >= ${prefix} and candidate.beginning < ${end}`)
}

/** As `left(value, 64)` of the column: 64 characters, not 64 units of UTF-16. */
function beginningOf(text: string): string {
  return [...text.slice(0, 128)].slice(0, 64).join('')
}
