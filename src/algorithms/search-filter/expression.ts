/** What a filter says, as a tree. `and` and `or` have at least two terms. */
export type Expression<Entity extends string = string> =
  | Comparison<Entity>
  | { kind: 'and' | 'or'; terms: Expression<Entity>[] }
  | { kind: 'not'; term: Expression<Entity> }

export type Comparator = Order | '=' | '!=' | 'like' | 'ilike' | 'rlike' | 'in' | 'not in' | 'is null' | 'is not null'
type Order = '<' | '<=' | '>' | '>='

/** `metrics.auc > 0.7`. It holds for nothing that lacks the key, whatever the comparator, but for `is null`. */
export interface Comparison<Entity extends string = string> {
  kind: 'comparison'
  entity: Entity
  key: string
  comparator: Comparator
  /** A list with `in` and `not in`; null with `is null` and `is not null`. */
  value: string | number | readonly string[] | null
  /** Where it begins in the filter, counted from 1. */
  column: number
}

export interface Ordering<Entity extends string = string> {
  entity: Entity
  key: string
  descending: boolean
}

/** What of one kind of thing can be searched: the grammar is the same for all of them, the names are not. */
export interface Vocabulary<Entity extends string = string> {
  entities: Readonly<Record<Entity, EntityRules>>
  /** What a key belongs to that names no entity, like `name = 'x'`. */
  bare: Entity
}

export interface EntityRules extends KeyRules {
  /** How it is written before the dot. */
  written: readonly string[]
  /** The keys that there are, with what each of them is called in the tree; without them a key may be anything. */
  keys?: Readonly<Record<string, KeyRules & { as?: string }>>
}

export interface KeyRules {
  /** `time` is a number, or a date in quotes; `either` is a text or a number. */
  values: 'text' | 'number' | 'time' | 'either'
  comparators: readonly Comparator[]
}

export const equality = ['=', '!='] as const
export const order = ['<', '<=', '>', '>='] as const
export const patterns = ['like', 'ilike'] as const
export const lists = ['in', 'not in'] as const
export const presence = ['is null', 'is not null'] as const

/** How a number is compared. */
export const aNumber: KeyRules = { values: 'number', comparators: [...equality, ...order] }
/** How a text is compared. */
export const aText: KeyRules = { values: 'text', comparators: [...equality, ...patterns, ...lists] }
/** How the value of a tag or parameter is compared, which a thing may lack. */
export const aLabel: KeyRules = { values: 'text', comparators: [...equality, ...patterns, ...lists, ...presence] }

/** Turns the tree into something else, from its leaves. */
export function foldExpression<Entity extends string, T>(
  expression: Expression<Entity>,
  into: {
    comparison: (comparison: Comparison<Entity>) => T
    and: (terms: T[]) => T
    or: (terms: T[]) => T
    not: (term: T) => T
  },
): T {
  if (expression.kind === 'comparison') return into.comparison(expression)
  if (expression.kind === 'not') return into.not(foldExpression(expression.term, into))
  return into[expression.kind](expression.terms.map((term) => foldExpression(term, into)))
}
