import { defineErrors, failure, type PaveError } from '../errors.ts'

/** A stretch of an expression's text, as offsets in UTF-16 units. */
export interface Span {
  start: number
  end: number
}

/** Where in the text something is: line and column count from 1. */
export interface Position extends Span {
  line: number
  column: number
}

/** Why evaluating one row gave no answer. In SQL the same row gives NULL. */
export interface ExpressionError {
  code: 'expression_missing_value' | 'expression_wrong_value' | 'expression_null_value' | 'expression_no_result'
  message: string
  position: Position
  hint: string
}

export const expressionErrors = defineErrors({
  expression_syntax: {
    status: 422,
    summary: 'The text is not a CEL expression.',
    hint: 'Mend the text at the position given; `docs/reference/expressions.md` shows the language.',
  },
  expression_unknown_name: {
    status: 422,
    summary: 'The expression uses a variable, field or function that does not exist.',
    hint: 'Use one of the declared names.',
  },
  expression_type: {
    status: 422,
    summary: 'The types in the expression do not fit together.',
    hint: 'Convert one side: double(x), int(x), string(x) or timestamp(x).',
  },
  expression_unsupported: {
    status: 422,
    summary: 'The expression uses a part of CEL that is left out because its cost or meaning cannot be bounded.',
    hint: 'Write it with the operators and functions listed in `docs/reference/expressions.md`.',
  },
  expression_too_complex: {
    status: 422,
    summary: 'The expression is larger than its static limits allow.',
    hint: 'Split it into several expressions, or compute the value in a pipeline step.',
  },
  expression_not_portable: {
    status: 422,
    summary: 'The expression cannot mean the same in process, in DuckDB and in PostgreSQL.',
    hint: 'Write it with the portable functions listed in `docs/reference/expressions.md`.',
  },
  expression_result_type: {
    status: 422,
    summary: 'The expression yields another type than the place it is written in needs.',
    hint: 'Convert the result: double(x), int(x) or string(x), or write a comparison for a bool.',
  },
  expression_variable: {
    status: 422,
    summary: 'A variable is declared under a name or with a type that expressions cannot use.',
    hint: 'Names are letters, digits and underscores; types are int, double, bool, string, timestamp, with ? for nullable.',
  },
})

const expressionFailure = failure(expressionErrors)

/** Finds line and column of a stretch of text. */
export function positionOf(text: string, span: Span): Position {
  const before = text.slice(0, span.start)
  const line = before.split('\n').length
  return { line, column: span.start - before.lastIndexOf('\n'), start: span.start, end: span.end }
}

/** The part of the text an error is about, quoted for a message and cut short where it is long. */
export function quotePart(text: string, span: Span): string {
  const part = text.slice(span.start, span.end)
  return part.length > 60 ? `\`${part.slice(0, 57)}...\`` : `\`${part}\``
}

/** Makes the error of an expression that is refused when declared; `details` hold `position` and the bad `part`. */
export function refuseExpression(
  code: keyof typeof expressionErrors,
  text: string,
  span: Span,
  message: string,
  hint?: string,
): PaveError {
  const position = positionOf(text, span)
  return expressionFailure(code, `Line ${position.line}, column ${position.column}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { position, part: text.slice(span.start, span.end) },
  })
}

/** Makes the error of a variable that cannot be declared. */
export function refuseVariable(message: string): PaveError {
  return expressionFailure('expression_variable', message)
}
