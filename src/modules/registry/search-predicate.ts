import { type RawBuilder, sql } from 'kysely'
import {
  aLabel,
  aNumber,
  aText,
  type Comparison,
  type Expression,
  type KeyRules,
  order,
  type Vocabulary,
} from '#algorithms/search-filter/expression.ts'
import { parseFilter, parseOrdering } from '#algorithms/search-filter/parse-filter.ts'
import { decodeCursor, folderTag } from '#platform/names.ts'
import {
  afterKeys,
  compareText,
  compileFilter,
  orderBy,
  type Predicate,
  readingFilter,
  sortKeyValues,
  symbolOf,
} from '#platform/search-sql.ts'
import { registryFailure } from './tables.ts'

type Entity = 'attribute' | 'tag'

interface Column {
  expression: RawBuilder<unknown>
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
        return { expression: key === promptTag ? sql`coalesce(${tag(key)}, 'false')` : tag(key), type: 'text' }
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
    name: { expression: sql`model.name`, type: 'text' },
    folder: { expression: sql`model.folder`, type: 'text' },
    creation_timestamp: { expression: sql`model.created_at`, type: 'timestamptz' },
    last_updated_timestamp: { expression: sql`model.changed_at`, type: 'timestamptz' },
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
    name: { expression: sql`v.model`, type: 'text' },
    version_number: { expression: sql`v.version`, type: 'int' },
    run_id: { expression: sql`replace(v.content ->> 'run', '-', '')`, type: 'text' },
    source_path: { expression: sql`v.content ->> 'source'`, type: 'text' },
    stage: { expression: sql`coalesce(s.stage, 'none')`, type: 'text' },
    creation_timestamp: { expression: sql`v.registered_at`, type: 'timestamptz' },
    last_updated_timestamp: { expression: sql`coalesce(s.changed_at, v.registered_at)`, type: 'timestamptz' },
  },
  (key) => sql`coalesce(s.tags ->> ${key}, v.content -> 'properties' ->> ${key})`,
)

export interface Search {
  matches: Predicate
  /** Whether the filter speaks of prompts at all. */
  namesPrompts: boolean
  beyondCursor: Predicate
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
  const matches = compileFilter(expression, (comparison) => {
    namesPrompts ||= comparison.entity === 'tag' && comparison.key === promptTag
    return compare(column(comparison.entity, comparison.key), comparison)
  })
  return {
    matches,
    namesPrompts,
    beyondCursor: afterKeys(keys, decodeCursor(input.cursor, keys.length)),
    keys: sql`${sortKeyValues(keys)} as keys`,
    orderBy: orderBy(keys),
  }
}

function read(vocabulary: Vocabulary<Entity>, { filter, orderBy }: { filter: string; orderBy: readonly string[] }) {
  return readingFilter(() => {
    const expression: Expression<Entity> | undefined = parseFilter(filter, vocabulary)
    return { expression, orderings: orderBy.map((term) => parseOrdering(term, vocabulary)) }
  }, invalid)
}

function compare({ expression: left, type }: Column, comparison: Comparison<Entity>): Predicate {
  const { comparator, value, key } = comparison
  if (type === 'text')
    return compareText(left, key === 'run_id' ? { comparator, value: withoutDashes(value) } : comparison)
  if (comparator === 'is null' || comparator === 'is not null') return compareText(left, comparison)
  if (Array.isArray(value)) return compareText(sql`${left}::text`, comparison)
  return sql`coalesce(${left} ${symbolOf(comparator)} ${operand(type, comparison)}::${sql.raw(type)}, false)`
}

/** Clients of MLflow write a run's id without dashes. */
function withoutDashes(value: Comparison['value']): Comparison['value'] {
  if (typeof value === 'string') return value.replaceAll('-', '')
  return typeof value === 'object' && value !== null ? value.map((one) => one.replaceAll('-', '')) : value
}

function operand(type: 'int' | 'timestamptz', { value, key }: Comparison<Entity>): string | number {
  if (type === 'int') {
    const number = Number(value)
    if (!Number.isInteger(number) || Math.abs(number) >= 2 ** 31) throw invalid(`${key} is compared with a number`)
    return number
  }
  const time = Number.isNaN(Number(value)) ? Date.parse(String(value)) : Number(value)
  if (!(Math.abs(time) <= 8.64e15)) throw invalid(`${key} is compared with milliseconds since 1970 or a date`)
  return new Date(time).toISOString()
}

function invalid(message: string) {
  return registryFailure('registry_search_invalid', message)
}
