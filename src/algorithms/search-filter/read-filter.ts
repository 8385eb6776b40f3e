/** What a filter or an ordering says cannot be read; the message says where. */
export class FilterError extends Error {}

export interface Comparison {
  /** `metrics`, `params`, `tags`, `attributes`; a key without one is an attribute. */
  entity: 'metric' | 'param' | 'tag' | 'attribute'
  key: string
  comparator: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'like' | 'ilike' | 'in' | 'not in'
  value: string | number | string[]
}

export interface Ordering {
  entity: Comparison['entity']
  key: string
  descending: boolean
}

const entities = new Map<string, Comparison['entity']>([
  ['metric', 'metric'],
  ['metrics', 'metric'],
  ['param', 'param'],
  ['params', 'param'],
  ['parameter', 'param'],
  ['parameters', 'param'],
  ['tag', 'tag'],
  ['tags', 'tag'],
  ['attribute', 'attribute'],
  ['attributes', 'attribute'],
  ['attr', 'attribute'],
  ['run', 'attribute'],
])

const comparators = new Set<string>(['=', '!=', '<', '<=', '>', '>=', 'like', 'ilike', 'in', 'not in'])

type Token = { kind: 'word' | 'quoted' | 'text' | 'number' | 'symbol'; text: string }

/**
 * MLflow's search grammar (mlflow/utils/search_utils.py): comparisons joined by AND, keys quoted with double quotes or
 * backticks, texts with single or double quotes. There is no OR and no nesting.
 */
export function readFilter(filter: string | undefined): Comparison[] {
  const tokens = tokensOf(filter ?? '')
  const comparisons: Comparison[] = []
  while (tokens.length > 0) {
    if (comparisons.length > 0 && tokens.shift()?.text.toLowerCase() !== 'and') {
      throw new FilterError(`The filter ${filter} must be comparisons joined by AND`)
    }
    comparisons.push(readComparison(tokens, filter ?? ''))
  }
  return comparisons
}

/** One term of `order_by`: `metrics.auc DESC`. */
export function readOrdering(term: string): Ordering {
  const tokens = tokensOf(term)
  const { entity, key } = readKey(tokens, term)
  const direction = tokens.shift()?.text.toLowerCase() ?? 'asc'
  if (tokens.length > 0 || (direction !== 'asc' && direction !== 'desc')) {
    throw new FilterError(`The ordering ${term} must be a key with ASC or DESC`)
  }
  return { entity, key, descending: direction === 'desc' }
}

function readComparison(tokens: Token[], filter: string): Comparison {
  const { entity, key } = readKey(tokens, filter)
  let comparator = tokens.shift()?.text.toLowerCase() ?? ''
  if (comparator === 'not') comparator = `not ${tokens.shift()?.text.toLowerCase()}`
  if (!isComparator(comparator)) throw new FilterError(`The filter ${filter} has no comparison after ${key}`)
  if (comparator === 'in' || comparator === 'not in')
    return { entity, key, comparator, value: readList(tokens, filter) }
  const value = tokens.shift()
  if (value?.kind === 'number') return { entity, key, comparator, value: Number(value.text) }
  if (value?.kind === 'text' || value?.kind === 'quoted') return { entity, key, comparator, value: value.text }
  throw new FilterError(`The filter ${filter} must compare ${key} with a number or a quoted text`)
}

function isComparator(text: string): text is Comparison['comparator'] {
  return comparators.has(text)
}

function readKey(tokens: Token[], filter: string): Pick<Comparison, 'entity' | 'key'> {
  const first = tokens.shift()
  if (first === undefined || (first.kind !== 'word' && first.kind !== 'quoted')) {
    throw new FilterError(`The filter ${filter} must begin each comparison with a key`)
  }
  const dot = first.text.indexOf('.')
  const named = first.kind === 'word' && dot > 0 ? first.text.slice(0, dot).toLowerCase() : undefined
  if (named === undefined) return { entity: 'attribute', key: first.text }
  const entity = entities.get(named)
  if (entity === undefined) throw new FilterError(`The filter ${filter} asks for ${named}, which cannot be searched`)
  const rest = first.text.slice(dot + 1)
  if (rest !== '') return { entity, key: rest }
  const key = tokens.shift()
  if (key?.kind !== 'quoted') throw new FilterError(`The filter ${filter} must name a key after ${named}.`)
  return { entity, key: key.text }
}

function readList(tokens: Token[], filter: string): string[] {
  const values: string[] = []
  if (tokens.shift()?.text === '(') {
    for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
      if (token.text === ')' && token.kind === 'symbol') return values
      if (token.kind === 'text' || token.kind === 'quoted') values.push(token.text)
      else if (token.text !== ',') break
    }
  }
  throw new FilterError(`The filter ${filter} must give a list of quoted texts in parentheses`)
}

const lexeme =
  /\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|`([^`]*)`|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|([A-Za-z_][\w.\-/]*)|(!=|<=|>=|[=<>(),]))/y

function tokensOf(filter: string): Token[] {
  const tokens: Token[] = []
  lexeme.lastIndex = 0
  const text = filter.trim()
  while (lexeme.lastIndex < text.length) {
    const at = lexeme.lastIndex
    const found = lexeme.exec(text)
    if (found === null) throw new FilterError(`The filter ${filter} cannot be read at ${text.slice(at, at + 20)}`)
    const [, single, double, backtick, number, word, symbol] = found
    if (single !== undefined) tokens.push({ kind: 'text', text: single })
    else if (double !== undefined) tokens.push({ kind: 'quoted', text: double })
    else if (backtick !== undefined) tokens.push({ kind: 'quoted', text: backtick })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else tokens.push({ kind: 'symbol', text: symbol ?? '' })
  }
  return tokens
}
