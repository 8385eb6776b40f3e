import { RE2JS } from 're2js'
import * as grammar from '#algorithms/search-filter/read-filter.ts'
import { invalid } from './errors.ts'

export type { Comparison, Ordering } from '#algorithms/search-filter/read-filter.ts'

export const readFilter = (filter: string | undefined): grammar.Comparison[] => told(() => grammar.readFilter(filter))

export const readOrdering = (term: string): grammar.Ordering => told(() => grammar.readOrdering(term))

function told<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof grammar.FilterError ? invalid(error.message) : error
  }
}

/** Whether a thing with these attributes and tags meets every comparison. */
export function meets(
  comparisons: readonly grammar.Comparison[],
  thing: { attributes: Record<string, string>; tags: Record<string, string> },
): boolean {
  return comparisons.every(({ entity, key, comparator, value }) => {
    const actual = entity === 'tag' ? thing.tags[key] : thing.attributes[key]
    // Only the absence of this tag can be searched for: it keeps prompts out of lists of models.
    if (actual === undefined) return entity === 'tag' && key === 'mlflow.prompt.is_prompt' && comparator === '!='
    if (Array.isArray(value)) return value.includes(actual) === (comparator === 'in')
    if (comparator === '=') return actual === String(value)
    if (comparator === '!=') return actual !== String(value)
    if (comparator === 'like' || comparator === 'ilike') return matchesLike(actual, String(value), comparator)
    throw invalid(`${key} is a text: compare it with =, !=, LIKE or ILIKE`)
  })
}

/** RE2, because the pattern is a stranger's and a backtracking engine could be kept busy with it. */
function matchesLike(text: string, pattern: string, comparator: 'like' | 'ilike'): boolean {
  const parts = pattern.split(/([%_])/).map((part) => ({ '%': '.*', _: '.' })[part] ?? RE2JS.quote(part))
  const flags = comparator === 'ilike' ? RE2JS.DOTALL | RE2JS.CASE_INSENSITIVE : RE2JS.DOTALL
  return RE2JS.compile(parts.join(''), flags).matches(text)
}
