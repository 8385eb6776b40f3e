import type { ASTNode } from '@marcbachmann/cel-js'
import type { PaveError } from '../errors.ts'
import { type expressionErrors, quotePart, refuseExpression, type Span } from './errors.ts'
import { chooseOverload, overloadsOf } from './functions.ts'
import type { Obstacle, Tree } from './tree.ts'
import { describeType, scalar, type Type } from './types.ts'

/** One expression while it is being checked. */
export interface Checker {
  text: string
  scope: Map<string, Type>
  /** The names in scope that `all`, `exists` or `filter` brought in. */
  locals: ReadonlySet<string>
  reads: Set<string>
  /** The first thing found that SQL cannot say. */
  obstacle: Obstacle | undefined
  check(checker: Checker, node: ASTNode): Tree
}

export function refuseAt(
  checker: Checker,
  code: keyof typeof expressionErrors,
  span: Span,
  message: string,
  hint?: string,
): PaveError {
  return refuseExpression(code, checker.text, span, `${quotePart(checker.text, span)}: ${message}`, hint)
}

export function setObstacle(checker: Checker, span: Span, message: string, hint?: string): void {
  if (checker.obstacle !== undefined) return
  const quoted = `${quotePart(checker.text, span)}: ${message}`
  checker.obstacle = hint === undefined ? { span, message: quoted } : { span, message: quoted, hint }
}

/** Applies an operator or function to checked operands; `name` is as in `Overload`. */
export function callOverload(checker: Checker, name: string, operands: Tree[], span: Span): Tree {
  const overload = chooseOverload(
    name,
    operands.map(({ type }) => type.kind),
  )
  if (overload === undefined) {
    const types = operands.map(({ type }) => describeType(type)).join(' and ') || 'nothing'
    const message = `\`${showName(name)}\` is not defined for ${types}.`
    throw refuseAt(checker, 'expression_type', span, message, overloadHint(name, operands))
  }
  if (overload.sql === undefined) {
    setObstacle(checker, span, `\`${overload.signature}\` cannot be written in SQL with the same meaning.`)
  }
  return { kind: 'call', overload, operands, type: scalar(overload.returns), span }
}

function showName(name: string): string {
  return name.replace(/^unary /, '')
}

function overloadHint(name: string, operands: Tree[]): string {
  const kinds = operands.map(({ type }) => type.kind)
  if (kinds.includes('dyn'))
    return 'Its type is not declared: convert it with double(x), int(x), string(x), bool(x) or timestamp(x).'
  if (kinds.includes('int') && kinds.includes('double')) {
    return 'Ints and doubles are not mixed in arithmetic: write 2.0 for 2, or double(x).'
  }
  if (name.startsWith('.get') && operands.length > 1) return 'Times are in UTC; the functions take no time zone.'
  const signatures = overloadsOf(name).map(({ signature }) => signature)
  return `It is defined as ${signatures.join('; ')}.`
}
