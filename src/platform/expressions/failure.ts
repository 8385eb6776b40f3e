import { type ExpressionError, positionOf, quotePart, type Span } from './errors.ts'
import { expressionLimits } from './parse-expression.ts'
import type { Tree } from './tree.ts'

/** Why a part has no value. It is returned, not thrown: failing is ordinary, and && and || absorb it. */
export class Failure {
  readonly error: ExpressionError
  constructor(error: ExpressionError) {
    this.error = error
  }
}

/** Makes a failure of one expression; the message goes on from the quoted part. */
export type Fail = (code: ExpressionError['code'], span: Span, message: string, hint: string) => Failure

export function failuresOf(text: string): Fail {
  return (code, span, message, hint) =>
    new Failure({ code, message: `${quotePart(text, span)} ${message}.`, position: positionOf(text, span), hint })
}

export function nullFailure(tree: Tree, fail: Fail): Failure {
  return fail('expression_null_value', tree.span, 'is null', 'Guard it, for example `x == null ? 0 : x`.')
}

export function longListFailure(list: Tree, fail: Fail): Failure {
  const limit = expressionLimits.loopItems
  return fail(
    'expression_wrong_value',
    list.span,
    `has more than ${limit} items`,
    'Aggregate long lists before they reach an expression.',
  )
}
