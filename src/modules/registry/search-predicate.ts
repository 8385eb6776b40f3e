import { type RawBuilder, sql } from 'kysely'
import {
  aLabel,
  aNumber,
  aText,
  type Comparison,
  type Expression,
  foldExpression,
  type KeyRules,
  order,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'
import { FilterError, parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { decodeCursor, folderTag } from '#platform/names.ts'
import { registryFailure } from './tables.ts'

type Entity = 'attribute' | 'tag'

interface Column {
  value: RawBuilder<unknown>
  type: 'text' | 'int' | 'timestamptz'
}

const aTime: KeyRules = { values: 'time', comparators: ['=', '!=', ...order] }

/** The words of a search and the columns that they stand for. */
export interface SearchWords {
  vocabulary: Vocabulary<Entity>
  column(entity: Entity, key: string): Column
}

/** Keeps prompts out of lists of models, so that what lacks it counts as having it false. */
const promptTag = 'mlflow.prompt.is_prompt'

function words(
  keys: Readonly<Record<string, KeyRules>>,
  columns: Readonly<Record<string, Column>>,
  tag: (key: string) => RawBuilder<unknown>,
): SearchWords {
  return {
    vocabulary: {
      entities: {
        attribute: { written: ['attribute', 'attributes'], ...aText, keys },
        tag: { written: ['tags', 'tag'], ...aLabel },
      },
      bare: 'attribute',
    },
    column(entity, key) {
      if (entity === 'tag') {
        return { value: key === promptTag ? sql`coalesce(${tag(key)}, 'false')` : tag(key), type: 'text' }
      }
      const column = columns[key]
      if (column === undefined) throw new Error(`the attribute ${key} has no column`)
      return column
    },
  }
}

export const modelWords = words(
  { name: aText, folder: aText, creation_timestamp: aTime, last_updated_timestamp: aTime },
  {
    name: { value: sql`model.name`, type: 'text' },
    folder: { value: sql`model.folder`, type: 'text' },
    creation_timestamp: { value: sql`model.created_at`, type: 'timestamptz' },
    last_updated_timestamp: { value: sql`model.changed_at`, type: 'timestamptz' },
  },
  // The folder is a tag to clients of MLflow.
  (key) => (key === folderTag ? sql`nullif(model.folder, '')` : sql`model.spec -> 'tags' ->> ${key}`),
)

const aNumberOrText: KeyRules = { ...aNumber, values: 'either' }

export const versionWords = words(
  {
    name: aText,
    version_number: aNumberOrText,
    run_id: aText,
    source_path: aText,
    stage: aText,
    creation_timestamp: aTime,
    last_updated_timestamp: aTime,
  },
  {
    name: { value: sql`v.model`, type: 'text' },
    version_number: { value: sql`v.version`, type: 'int' },
    run_id: { value: sql`replace(v.content ->> 'run', '-', '')`, type: 'text' },
    source_path: { value: sql`v.content ->> 'source'`, type: 'text' },
    stage: { value: sql`coalesce(s.stage, 'none')`, type: 'text' },
    creation_timestamp: { value: sql`v.registered_at`, type: 'timestamptz' },
    last_updated_timestamp: { value: sql`coalesce(s.changed_at, v.registered_at)`, type: 'timestamptz' },
  },
  (key) => sql`coalesce(s.tags ->> ${key}, v.content -> 'properties' ->> ${key})`,
)

export interface Search {
  matches: RawBuilder<boolean>
  /** Whether the filter speaks of prompts at all. */
  namesPrompts: boolean
  beyondCursor: RawBuilder<boolean>
  keys: RawBuilder<unknown>
  orderBy: RawBuilder<unknown>
}

/** Ties are broken by `last`, so that every row has its place and a page begins right after the one before. */
export function compileSearch(
  { vocabulary, column }: SearchWords,
  input: { filter: string; orderBy: readonly string[]; cursor?: string | undefined },
  last: readonly { key: string; descending: boolean }[],
): Search {
  const { expression, orderings } = read(vocabulary, input)
  const given = orderings.filter(({ entity }) => entity === 'attribute')
  if (given.length < orderings.length) throw invalid('Order by an attribute, such as name')
  const missing = last.filter(({ key }) => !given.some((one) => one.key === key))
  const keys = [...given, ...missing].map(({ key, descending }) => ({ ...column('attribute', key), descending }))
  let namesPrompts = false
  const matches =
    expression === undefined
      ? sql<boolean>`true`
      : foldExpression<Entity, RawBuilder<boolean>>(expression, {
          comparison: (comparison) => {
            namesPrompts ||= comparison.entity === 'tag' && comparison.key === promptTag
            return sql`coalesce(${compare(column(comparison.entity, comparison.key), comparison)}, false)`
          },
          and: (terms) => sql`(${sql.join(terms, sql` and `)})`,
          or: (terms) => sql`(${sql.join(terms, sql` or `)})`,
          not: (term) => sql`not ${term}`,
        })
  return {
    matches,
    namesPrompts,
    beyondCursor: beyond(keys, decodeCursor(input.cursor, keys.length)),
    keys: sql`jsonb_build_array(${sql.join(keys.map(({ value, type }) => (type === 'int' ? value : sql`${value}::text`)))}) as keys`,
    orderBy: sql.join(keys.map(({ value, descending }) => sql`${value} ${sql.raw(descending ? 'desc' : 'asc')}`)),
  }
}

function read(vocabulary: Vocabulary<Entity>, { filter, orderBy }: { filter: string; orderBy: readonly string[] }) {
  try {
    const expression: Expression<Entity> | undefined = parseFilter(filter, vocabulary)
    return { expression, orderings: orderBy.map((term) => parseOrdering(term, vocabulary)) }
  } catch (error) {
    throw error instanceof FilterError ? invalid(error.message) : error
  }
}

function compare({ value: left, type }: Column, comparison: Comparison<Entity>): RawBuilder<unknown> {
  const { comparator, value } = comparison
  if (comparator === 'is null' || comparator === 'is not null') return sql`${left} ${sql.raw(comparator)}`
  if (Array.isArray(value)) {
    const among = sql`${left}::text = any(${value}::text[])`
    return comparator === 'in' ? among : sql`not (${among})`
  }
  return sql`${left} ${sql.raw(comparator)} ${operand(type, comparison)}::${sql.raw(type)}`
}

function operand(type: Column['type'], { value, key }: Comparison<Entity>): string | number {
  if (type === 'int') {
    const number = Number(value)
    if (!Number.isInteger(number) || Math.abs(number) >= 2 ** 31) throw invalid(`${key} is compared with a number`)
    return number
  }
  if (type === 'text') return key === 'run_id' ? String(value).replaceAll('-', '') : String(value)
  const time = Number.isNaN(Number(value)) ? Date.parse(String(value)) : Number(value)
  if (!(Math.abs(time) <= 8.64e15)) throw invalid(`${key} is compared with milliseconds since 1970 or a date`)
  return new Date(time).toISOString()
}

/** Rows after the one with these keys: those that differ first in a key that comes later. */
function beyond(
  keys: readonly (Column & { descending: boolean })[],
  cursor: readonly (string | number)[] | undefined,
): RawBuilder<boolean> {
  if (cursor === undefined) return sql`true`
  const steps = keys.map(({ value, type, descending }, index) => {
    const equal = keys.slice(0, index).map((key, at) => sql`${key.value} = ${cursor[at]}::${sql.raw(key.type)} and `)
    return sql`(${sql.join(equal, sql``)}${value} ${sql.raw(descending ? '<' : '>')} ${cursor[index]}::${sql.raw(type)})`
  })
  return sql`(${sql.join(steps, sql` or `)})`
}

function invalid(message: string) {
  return registryFailure('registry_search_invalid', message)
}
