import type { Span } from './errors.ts'
import type { Overload } from './overload.ts'
import type { Pattern } from './portable-pattern.ts'
import type { ScalarType, Type } from './types.ts'

/** A constant as it is computed with: timestamps are milliseconds since 1970 UTC, durations milliseconds. */
export type Constant = number | string | boolean | null

interface Part {
  type: Type
  span: Span
}

/** A variable and the way from it to the value: field names, or expressions that give a list position or a map key. */
export interface Access extends Part {
  kind: 'access'
  root: string
  steps: (string | Tree)[]
  /** `version.metrics.auc` when it names a declared value, undefined when it walks into a list, a map or unknown data. */
  path: string | undefined
}

export interface Literal extends Part {
  kind: 'literal'
  value: Constant
}

/** A checked expression: every name resolved, every function chosen, every type known. */
export type Tree =
  | Access
  | Literal
  | ({ kind: 'call'; overload: Overload; operands: Tree[] } & Part)
  | ({ kind: 'logic'; operator: '&&' | '||'; left: Tree; right: Tree } & Part)
  | ({ kind: 'choice'; condition: Tree; whenTrue: Tree; whenFalse: Tree } & Part)
  | ({ kind: 'equality'; negated: boolean; left: Tree; right: Tree } & Part)
  | ({ kind: 'membership'; item: Tree; options: Literal[] } & Part)
  | ({ kind: 'containment'; item: Tree; collection: Tree } & Part)
  | ({ kind: 'presence'; of: Access } & Part)
  | ({ kind: 'matching'; operand: Tree; source: string; pattern: Pattern } & Part)
  | ({ kind: 'list'; items: Tree[] } & Part)
  | ({ kind: 'loop'; macro: 'all' | 'exists' | 'filter'; list: Tree; variable: string; body: Tree } & Part)

/** Why an expression cannot be written in SQL with the same meaning, and where. */
export interface Obstacle {
  span: Span
  message: string
  hint?: string
}

/** An expression that was checked against its variables; made by `checkExpression` only. */
export interface CheckedExpression {
  text: string
  /** The type of the answer; `dyn` where it is read from undeclared data. */
  type: ScalarType | 'dyn'
  nullable: boolean
  /** The declared values it reads, as dotted paths. */
  reads: string[]
  portable: boolean
  obstacle: Obstacle | undefined
  tree: Tree
}

/** The sides of `a && b && c`, which is one level however long it is. */
export function chainOf(tree: Tree & { kind: 'logic' }): Tree[] {
  return [tree.left, tree.right].flatMap((side) =>
    side.kind === 'logic' && side.operator === tree.operator ? chainOf(side) : [side],
  )
}
