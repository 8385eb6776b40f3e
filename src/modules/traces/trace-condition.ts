import { type RawBuilder, sql } from 'kysely'
import type { Comparison, Expression } from '#algorithms/search-filter/expression.ts'
import { FilterError } from '#algorithms/search-filter/parse-filter.ts'
import { compareText } from '#platform/search-sql.ts'
import type { SpanOutline } from './pack-spans.ts'
import { compareNumber, testText } from './search-sql.ts'
import { uuidOf } from './tables.ts'
import type { TraceEntity } from './trace-vocabulary.ts'

type Sql = RawBuilder<unknown>
type Leaf = Comparison<TraceEntity>

/** A trace whose condition the database could not decide alone. */
export interface Candidate {
  id: string
  /** What the database found for each `asked` condition. */
  answers: boolean[]
  name: string | null
  state: string
  client_request: string | null
  tags: Record<string, string>
  metadata: Record<string, string>
  assessments: { kind: string; name: string; value: unknown; valid: boolean }[]
  spans(): Promise<CandidateSpan[]>
}

export interface CandidateSpan extends SpanOutline {
  /** JSON. */
  attributes: string
}

export type Condition =
  | { kind: 'asked'; sql: Sql; index: number }
  /** Decided outside of the database; `narrow` holds for every trace that it holds for. */
  | { kind: 'tested'; narrow: Sql; test: (candidate: Candidate) => boolean | Promise<boolean> }
  | { kind: 'and' | 'or'; terms: Condition[] }
  | { kind: 'not'; term: Condition }

/** A filter, of which `asked` are the parts for the database. Comparisons of spans joined by AND are about one span. */
export function conditionOf(expression: Expression<TraceEntity>, asked: Sql[]): Condition {
  if (expression.kind === 'not') return { kind: 'not', term: conditionOf(expression.term, asked) }
  if (expression.kind === 'or') return { kind: 'or', terms: expression.terms.map((term) => conditionOf(term, asked)) }
  const terms = expression.kind === 'and' ? expression.terms : [expression]
  const ofSpans = terms.filter(isOfSpan)
  const conditions = terms.filter((term) => !isOfSpan(term)).map((term) => conditionOfTerm(term, asked))
  if (ofSpans.length > 0) conditions.push(spanCondition(ofSpans, asked))
  const [only] = conditions
  return conditions.length === 1 && only !== undefined ? only : { kind: 'and', terms: conditions }
}

function isOfSpan(term: Expression<TraceEntity>): term is Leaf {
  return term.kind === 'comparison' && (term.entity === 'span' || term.key === 'text')
}

function conditionOfTerm(term: Expression<TraceEntity>, asked: Sql[]): Condition {
  if (term.kind !== 'comparison') return conditionOf(term, asked)
  return term.comparator === 'rlike' ? patternCondition(term) : ask(sqlOf(term), asked)
}

function ask(condition: Sql, asked: Sql[]): Condition {
  asked.push(condition)
  return { kind: 'asked', sql: condition, index: asked.length - 1 }
}

/** Holds for every trace that the condition holds for, and perhaps for more. */
export function widest(condition: Condition): Sql {
  if (condition.kind === 'asked') return condition.sql
  if (condition.kind === 'tested') return condition.narrow
  if (condition.kind === 'not') return sql`not ${surest(condition.term)}`
  return joined(condition.kind, condition.terms.map(widest))
}

/** Holds for no trace that the condition does not hold for. */
function surest(condition: Condition): Sql {
  if (condition.kind === 'asked') return condition.sql
  if (condition.kind === 'tested') return sql`false`
  if (condition.kind === 'not') return sql`not ${widest(condition.term)}`
  return joined(condition.kind, condition.terms.map(surest))
}

function joined(kind: 'and' | 'or', terms: readonly Sql[]): Sql {
  return sql`(${sql.join(terms, kind === 'and' ? sql` and ` : sql` or `)})`
}

export function isForDatabase(condition: Condition): boolean {
  if (condition.kind === 'asked') return true
  if (condition.kind === 'tested') return false
  if (condition.kind === 'not') return isForDatabase(condition.term)
  return condition.terms.every(isForDatabase)
}

export async function holds(condition: Condition, candidate: Candidate): Promise<boolean> {
  if (condition.kind === 'asked') return candidate.answers[condition.index] ?? false
  if (condition.kind === 'tested') return condition.test(candidate)
  if (condition.kind === 'not') return !(await holds(condition.term, candidate))
  for (const term of condition.terms) {
    if ((await holds(term, candidate)) === (condition.kind === 'or')) return condition.kind === 'or'
  }
  return condition.kind === 'and'
}

function sqlOf(leaf: Leaf): Sql {
  if (leaf.entity === 'tag') return leaf.key === 'mlflow.traceName' ? named(leaf) : ofLabel(sql`trace.tags`, leaf)
  if (leaf.entity === 'metadata') return ofLabel(sql`trace.metadata`, leaf)
  if (leaf.entity === 'issue') return assessed(sql`a.kind = 'issue' and a.name = ${String(leaf.value)}`)
  if (leaf.entity === 'attribute') return attributeSql(leaf)
  const of = sql`a.kind = ${leaf.entity} and a.name = ${leaf.key} and a.valid`
  if (leaf.comparator === 'is not null') return assessed(of)
  if (leaf.comparator === 'is null') return sql`not ${assessed(of)}`
  if (typeof leaf.value !== 'number') return assessed(sql`${of} and ${compareText(sql`(a.value #>> '{}')`, leaf)}`)
  const number = sql`(case when jsonb_typeof(a.value) = 'number' then a.value::float8 end)`
  return assessed(sql`${of} and ${compareNumber(number, leaf)}`)
}

function assessed(condition: Sql): Sql {
  return sql`exists (select 1 from traces.assessment a
    where a.workspace = trace.workspace and a.trace = trace.id and ${condition})`
}

const named = (leaf: Leaf): Sql => compareText(sql`trace.name`, leaf)

const ofLabel = (labels: Sql, leaf: Leaf): Sql => compareText(sql`(${labels} ->> ${leaf.key})`, leaf)

function attributeSql(leaf: Leaf): Sql {
  if (leaf.key === 'started') return compareNumber(sql`trace.started_ms`, leaf)
  if (leaf.key === 'ended') return compareNumber(sql`trace.ended_ms`, leaf)
  if (leaf.key === 'duration') return compareNumber(sql`(trace.ended_ms - trace.started_ms)`, leaf)
  if (leaf.key === 'run') return runSql(leaf)
  if (leaf.key === 'prompt') return promptSql(leaf)
  return compareText(attributeText(leaf.key), leaf)
}

/** As clients of MLflow know it. */
function attributeText(key: string): Sql {
  if (key === 'id') return sql`('tr-' || replace(trace.id::text, '-', ''))`
  if (key === 'experiment') return sql`trace.experiment::text`
  if (key === 'status')
    return sql`(case trace.state when 'unspecified' then 'STATE_UNSPECIFIED' else upper(trace.state) end)`
  return key === 'name' ? sql`trace.name` : sql`trace.client_request`
}

/** A trace is a run's when it was made within it, or linked to it. */
function runSql({ comparator, value }: Leaf): Sql {
  const texts = (Array.isArray(value) ? value : [value]).map(String)
  const runs = texts.map((text) => text.replaceAll('-', '').toLowerCase())
  const linked = runs.filter((run) => /^[0-9a-f]{32}$/.test(run)).map(uuidOf)
  const of = sql`(coalesce(replace(trace.metadata ->> 'mlflow.sourceRun', '-', '') = any(${runs}::text[]), false)
    or exists (select 1 from traces.run_link link where link.workspace = trace.workspace and link.trace = trace.id
      and link.run = any(${linked}::uuid[])))`
  return comparator === '=' || comparator === 'in' ? of : sql`not ${of}`
}

function promptSql({ value, column }: Leaf): Sql {
  const [name, version, ...more] = String(value).split('/')
  if (!name || !version || more.length > 0) throw new FilterError(column, 'a prompt is written as name/version')
  const linked = JSON.stringify([{ name, version }])
  return sql`(case when trace.tags ->> 'mlflow.linkedPrompts' is json array
    then (trace.tags ->> 'mlflow.linkedPrompts')::jsonb @> ${linked}::jsonb else false end)`
}

/** RLIKE is left to RE2: PostgreSQL's own patterns may take a time that nobody can foresee. */
function patternCondition(leaf: Leaf): Condition {
  const matches = testText(leaf)
  const test = (text: string | null | undefined) => text != null && matches(text)
  if (leaf.entity === 'tag' && leaf.key !== 'mlflow.traceName') {
    return {
      kind: 'tested',
      narrow: sql`trace.tags ? ${leaf.key}`,
      test: ({ tags }) => Object.hasOwn(tags, leaf.key) && test(tags[leaf.key]),
    }
  }
  if (leaf.entity === 'metadata') {
    return {
      kind: 'tested',
      narrow: sql`trace.metadata ? ${leaf.key}`,
      test: ({ metadata }) => Object.hasOwn(metadata, leaf.key) && test(metadata[leaf.key]),
    }
  }
  if (leaf.entity === 'feedback' || leaf.entity === 'expectation') {
    return {
      kind: 'tested',
      narrow: assessed(sql`a.kind = ${leaf.entity} and a.name = ${leaf.key} and a.valid`),
      test: ({ assessments }) =>
        assessments.some(
          ({ kind, name, value, valid }) =>
            valid &&
            kind === leaf.entity &&
            name === leaf.key &&
            test(typeof value === 'string' ? value : JSON.stringify(value)),
        ),
    }
  }
  const read: Record<string, (candidate: Candidate) => string | null> = {
    id: ({ id }) => `tr-${id.replaceAll('-', '')}`,
    status: ({ state }) => (state === 'unspecified' ? 'STATE_UNSPECIFIED' : state.toUpperCase()),
    client_request: ({ client_request }) => client_request,
  }
  const value = read[leaf.key] ?? (({ name }) => name)
  return { kind: 'tested', narrow: sql`true`, test: (candidate) => test(value(candidate)) }
}

const columns: Readonly<Record<string, Sql>> = {
  name: sql`span.name`,
  type: sql`span.type`,
  status: sql`upper(span.status)`,
}

/** What all of the comparisons hold for is one span. Names, types and states are in columns; the rest is read. */
function spanCondition(leaves: readonly Leaf[], asked: Sql[]): Condition {
  const inColumns = leaves.filter(
    ({ entity, key, comparator }) => entity === 'span' && columns[key] && comparator !== 'rlike',
  )
  const narrow = sql`exists (select 1 from traces.span_chunk chunk,
    unnest(chunk.names, chunk.types, chunk.statuses) as span(name, type, status)
    where chunk.workspace = trace.workspace and chunk.trace = trace.id
      and ${sql.join([sql`true`, ...inColumns.map((leaf) => compareText(columns[leaf.key] ?? sql`null`, leaf))], sql` and `)})`
  if (inColumns.length === leaves.length) return ask(narrow, asked)
  const tests = leaves.map(spanTest)
  return {
    kind: 'tested',
    narrow,
    test: async (candidate) => (await candidate.spans()).some((span) => tests.every((test) => test(span))),
  }
}

function spanTest(leaf: Leaf): (span: CandidateSpan) => boolean {
  const test = testText(leaf)
  const key = leaf.entity === 'span' ? leaf.key : 'content'
  if (key === 'name') return ({ name }) => test(name)
  if (key === 'type') return ({ type }) => test(type)
  if (key === 'status') return ({ status }) => test(status.toUpperCase())
  if (key === 'content' && (leaf.comparator === 'like' || leaf.comparator === 'ilike')) {
    return ({ name, attributes }) => test(`{"name": ${JSON.stringify(name)}, "attributes": ${attributes}}`)
  }
  if (key === 'content') throw new FilterError(leaf.column, 'span.content is compared with LIKE or ILIKE')
  const attribute = key.startsWith('attributes.') ? key.slice('attributes.'.length) : ''
  if (attribute === '') {
    throw new FilterError(leaf.column, 'of a span there are name, type, status, content and attributes.<name>')
  }
  const quoted = JSON.stringify(attribute)
  return ({ attributes }) => {
    // Most spans lack the attribute, and need not be read for that.
    if (!attributes.includes(quoted)) return false
    const found = new Map<string, unknown>(Object.entries(JSON.parse(attributes))).get(attribute)
    return found !== undefined && test(typeof found === 'string' ? found : JSON.stringify(found))
  }
}
