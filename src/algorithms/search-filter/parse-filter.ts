import type { Comparator, Comparison, EntityRules, Expression, KeyRules, Ordering, Vocabulary } from './expression.ts'
import { FilterError, readTokens, type Token } from './read-tokens.ts'

export { FilterError } from './read-tokens.ts'

const mostComparisons = 100
const mostNesting = 32
const mostInList = 1000

/**
 * MLflow's search grammar (mlflow/utils/search_utils.py) and what it lacks: OR, NOT and parentheses. NOT binds closest,
 * then AND. A key with other characters than letters, digits and `_ . - / :` stands in double quotes or backticks, a
 * text in single or double quotes. Undefined when the filter says nothing.
 *
 * @throws FilterError with the column and what was expected there
 */
export function parseFilter<Entity extends string>(
  filter: string,
  vocabulary: Vocabulary<Entity>,
): Expression<Entity> | undefined {
  const reader = new Reader(filter, vocabulary)
  if (reader.atEnd()) return undefined
  const expression = reader.either()
  reader.requireEnd('AND, OR or the end')
  return expression
}

/** One term of an ordering: `metrics.auc DESC`. */
export function parseOrdering<Entity extends string>(text: string, vocabulary: Vocabulary<Entity>): Ordering<Entity> {
  const reader = new Reader(text, vocabulary)
  const { entity, key } = reader.key()
  const descending = reader.takeWord('desc')
  if (!descending) reader.takeWord('asc')
  reader.requireEnd('ASC, DESC or the end')
  return { entity, key, descending }
}

interface Key<Entity extends string> {
  entity: Entity
  key: string
  rules: KeyRules
  /** As it was written. */
  written: string
  column: number
}

class Reader<Entity extends string> {
  readonly #tokens: Token[]
  readonly #vocabulary: Vocabulary<Entity>
  #at = 0
  #depth = 0
  #comparisons = 0

  constructor(text: string, vocabulary: Vocabulary<Entity>) {
    this.#tokens = readTokens(text)
    this.#vocabulary = vocabulary
  }

  either(): Expression<Entity> {
    return this.#chain('or', () => this.#chain('and', () => this.#unary()))
  }

  #chain(kind: 'and' | 'or', read: () => Expression<Entity>): Expression<Entity> {
    const first = read()
    const terms = [first]
    while (this.takeWord(kind)) terms.push(read())
    return terms.length === 1 ? first : { kind, terms }
  }

  #unary(): Expression<Entity> {
    const token = this.#peek()
    const negated = isWord(token, 'not')
    if (!negated && !isSymbol(token, '(')) return this.#comparison()
    if (++this.#depth > mostNesting)
      throw new FilterError(token.column, `it is nested deeper than ${mostNesting} times`)
    this.#at++
    const inner = negated ? this.#unary() : this.either()
    if (!negated) this.#requireSymbol(')', 'AND, OR or )')
    this.#depth--
    return negated ? { kind: 'not', term: inner } : inner
  }

  #comparison(): Comparison<Entity> {
    const key = this.key()
    if (++this.#comparisons > mostComparisons) {
      throw new FilterError(key.column, `it has more than ${mostComparisons} comparisons`)
    }
    const comparator = this.#comparator(key)
    return {
      kind: 'comparison',
      entity: key.entity,
      key: key.key,
      comparator,
      value: this.#value(key, comparator),
      column: key.column,
    }
  }

  /** `metrics.auc`, `params."max depth"`, `status`. */
  key(): Key<Entity> {
    const token = this.#peek()
    if (token.kind !== 'word' && token.kind !== 'double' && token.kind !== 'backtick') throw this.#expected('a key')
    this.#at++
    const dot = token.kind === 'word' ? token.text.indexOf('.') : -1
    if (token.kind === 'backtick' && isSymbol(this.#peek(), '.')) {
      this.#at++
      return this.#keyOf(token.text, this.#quotedKey() ?? this.#word(), token.column)
    }
    if (dot < 0) return this.#keyOf(undefined, token.text, token.column)
    const rest = token.text.slice(dot + 1)
    const begins = rest === '' || rest.endsWith('.')
    return this.#keyOf(token.text.slice(0, dot), rest + (begins ? (this.#quotedKey() ?? '') : ''), token.column)
  }

  #quotedKey(): string | undefined {
    const token = this.#peek()
    if (token.kind !== 'double' && token.kind !== 'backtick') return undefined
    this.#at++
    return token.text
  }

  #word(): string {
    const token = this.#peek()
    if (token.kind !== 'word') throw this.#expected('a key')
    this.#at++
    return token.text
  }

  #keyOf(written: string | undefined, key: string, column: number): Key<Entity> {
    const { entities, bare } = this.#vocabulary
    const known: [Entity, EntityRules][] = entriesOf(entities)
    const [entity, rules] =
      written === undefined
        ? [bare, entities[bare]]
        : (known.find(([, one]) => one.written.includes(written.toLowerCase())) ?? [])
    if (entity === undefined || rules === undefined) {
      const names = known.map(([, one]) => one.written[0])
      throw new FilterError(column, `there is no ${shortened(written ?? '')}, only ${listed(names)}`)
    }
    const name = written === undefined ? key : `${written}.${key}`
    if (key === '') throw new FilterError(column, `${shortened(name)} needs a key after its dot`)
    if (rules.keys === undefined) return { entity, key, rules, written: name, column }
    const found = Object.hasOwn(rules.keys, key) ? rules.keys[key] : undefined
    if (found !== undefined) return { entity, key: found.as ?? key, rules: found, written: name, column }
    throw new FilterError(
      column,
      `Invalid ${entity} key '${shortened(key)}'; there are ${listed(Object.keys(rules.keys))}`,
    )
  }

  #comparator(key: Key<Entity>): Comparator {
    const token = this.#peek()
    const { comparators } = key.rules
    const written = token.kind === 'word' || token.kind === 'symbol' ? token.text.toLowerCase() : ''
    this.#at++
    let comparator = written
    if (written === 'not' && this.takeWord('in')) comparator = 'not in'
    if (written === 'is') comparator = this.takeWord('not') ? 'is not null' : 'is null'
    if (written === 'is' && !this.takeWord('null')) throw this.#expected('NULL')
    const known = comparators.find((one) => one === comparator)
    if (known !== undefined) return known
    const choice = listed(comparators.map((one) => one.toUpperCase()))
    throw new FilterError(
      token.column,
      `after ${shortened(key.written)} expected one of ${choice}, found ${shown(token)}`,
    )
  }

  #value(key: Key<Entity>, comparator: Comparator): Comparison['value'] {
    if (comparator === 'is null' || comparator === 'is not null') return null
    if (comparator === 'in' || comparator === 'not in') return this.#list()
    const token = this.#peek()
    const { values } = key.rules
    const ordered = comparator === '<' || comparator === '<=' || comparator === '>' || comparator === '>='
    const text = token.kind === 'single' || token.kind === 'double'
    this.#at++
    if (token.kind === 'number' && values !== 'text') return Number(token.text)
    if (text && (values === 'text' || values === 'time' || (values === 'either' && !ordered))) return token.text
    const wanted = {
      text: 'a text in quotes',
      number: 'a number',
      time: 'milliseconds since 1970 or a date in quotes',
      either: ordered ? 'a number' : 'a text in quotes or a number',
    }[values]
    throw new FilterError(
      token.column,
      `after ${shortened(key.written)} ${comparator.toUpperCase()} expected ${wanted}, found ${shown(token)}`,
    )
  }

  #list(): string[] {
    this.#requireSymbol('(', '( and a list of texts in quotes')
    const values: string[] = []
    do {
      const token = this.#peek()
      if (values.length > 0 && isSymbol(token, ')')) break
      if (token.kind !== 'single' && token.kind !== 'double') throw this.#expected('a text in quotes')
      if (values.length === mostInList) throw new FilterError(token.column, `a list has at most ${mostInList} texts`)
      values.push(token.text)
      this.#at++
    } while (this.#takeSymbol(','))
    this.#requireSymbol(')', ', or )')
    return values
  }

  atEnd(): boolean {
    return this.#peek().kind === 'end'
  }

  requireEnd(expected: string): void {
    if (!this.atEnd()) throw this.#expected(expected)
  }

  takeWord(word: string): boolean {
    const taken = isWord(this.#peek(), word)
    if (taken) this.#at++
    return taken
  }

  #takeSymbol(symbol: string): boolean {
    const taken = isSymbol(this.#peek(), symbol)
    if (taken) this.#at++
    return taken
  }

  #requireSymbol(symbol: string, expected: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#expected(expected)
  }

  /** The last token is the end, which is never taken. */
  #peek(): Token {
    const token = this.#tokens[Math.min(this.#at, this.#tokens.length - 1)]
    if (token === undefined) throw new Error('there is always an end')
    return token
  }

  #expected(what: string): FilterError {
    const token = this.#peek()
    return new FilterError(token.column, `expected ${what}, found ${shown(token)}`)
  }
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === word
}

function isSymbol(token: Token, symbol: string): boolean {
  return token.kind === 'symbol' && token.text === symbol
}

/** `Object.entries` forgets which keys there are. */
function entriesOf<Key extends string, Value>(record: Readonly<Record<Key, Value>>): [Key, Value][] {
  const entries: [Key, Value][] = []
  for (const key in record) entries.push([key, record[key]])
  return entries
}

function shown(token: Token): string {
  if (token.kind === 'end') return 'the end'
  return token.kind === 'single' || token.kind === 'double' ? `'${shortened(token.text)}'` : shortened(token.text)
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function listed(names: readonly (string | undefined)[]): string {
  return names.join(', ')
}
