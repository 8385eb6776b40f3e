import { compileToFunction, type ExpressionValues, type Step } from './compile-to-function.ts'
import { type ExpressionError, positionOf, quotePart } from './errors.ts'
import { Failure } from './failure.ts'
import type { CheckedExpression } from './tree.ts'

/** What an expression answers: timestamps are Dates, ints and doubles numbers. */
export type ExpressionValue = number | string | boolean | Date | null

export type EvaluationResult = { ok: true; value: ExpressionValue } | { ok: false; error: ExpressionError }

const compiled = new WeakMap<CheckedExpression, Step>()

/**
 * Evaluates an expression over one row, given by the declared names. A row that has no answer is `{ ok: false, error }`;
 * it never throws.
 */
export function evaluate(checked: CheckedExpression, values: ExpressionValues): EvaluationResult {
  let step = compiled.get(checked)
  if (step === undefined) {
    step = compileToFunction(checked)
    compiled.set(checked, step)
  }
  const outcome = step(values)
  if (outcome instanceof Failure) return { ok: false, error: outcome.error }
  switch (typeof outcome) {
    case 'number':
      return { ok: true, value: checked.type === 'timestamp' ? new Date(outcome) : outcome }
    case 'string':
    case 'boolean':
      return { ok: true, value: outcome }
    default:
      return outcome === null || outcome instanceof Date ? { ok: true, value: outcome } : notSingle(checked)
  }
}

function notSingle({ text, tree }: CheckedExpression): EvaluationResult {
  const message = `${quotePart(text, tree.span)} is a list or an object, not a single value.`
  const hint = 'Go on to one of its fields or items.'
  return { ok: false, error: { code: 'expression_wrong_value', message, position: positionOf(text, tree.span), hint } }
}
