import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import { refuseExpression, type Span } from './errors.ts'

/** Static limits of every expression. */
export const expressionLimits = {
  characters: 8000,
  parts: 1000,
  /** How deep operators and calls nest, counting `a + b + c` as two. */
  depth: 48,
  listItems: 500,
  /** How many items of a list variable `all`, `exists` and `filter` look at. */
  loopItems: 1000,
  /** Steps of one evaluation at worst. */
  steps: 100_000,
}

const environment = new Environment({
  limits: {
    maxAstNodes: expressionLimits.parts,
    maxDepth: 250,
    maxListElements: expressionLimits.listItems,
    maxMapEntries: 0,
    maxCallArguments: 8,
  },
})

/** Reads the text of an expression; throws `expression_syntax` or `expression_too_complex`. */
export function parseExpression(text: string): ASTNode {
  const whole = { start: 0, end: text.length }
  if (text.length > expressionLimits.characters) {
    const message = `The expression has ${text.length} characters; ${expressionLimits.characters} are allowed.`
    throw refuseExpression('expression_too_complex', text, { start: 0, end: 0 }, message)
  }
  if (!text.isWellFormed()) {
    throw refuseExpression('expression_syntax', text, whole, 'The expression holds half of a surrogate pair.')
  }
  try {
    return environment.parse(text).ast
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    const span = error.range ?? whole
    const tooLarge = error.code === 'limit_exceeded'
    throw refuseExpression(
      tooLarge ? 'expression_too_complex' : 'expression_syntax',
      text,
      span,
      ...explain(error, text, span),
    )
  }
}

const namesOfLimits: Record<string, string> = {
  maxAstNodes: `more than ${expressionLimits.parts} parts`,
  maxListElements: `a list of more than ${expressionLimits.listItems} items`,
  maxMapEntries: 'a map literal, which the language leaves out',
}

function describeLimit(summary: string): string {
  const limit = /max\w+/.exec(summary)?.[0] ?? ''
  return `The expression has ${namesOfLimits[limit] ?? 'more nesting or arguments than is allowed'}.`
}

/** The message of a syntax error, with a hint where a habit from another language shows. */
function explain(error: ParseError, text: string, span: Span): [message: string, hint?: string] {
  if (error.code === 'limit_exceeded') return [describeLimit(error.summary)]
  const message = `${error.summary}.`.replace('EOF', 'the end of the expression')
  const rest = text.slice(span.start)
  const found = text.charAt(span.start)
  if (found === '=') return [message, 'Write == to compare.']
  if (found === '&') return [message, 'Write && for and.']
  if (found === '|') return [message, 'Write || for or.']
  const word = /^(and|or|not|is|between|like)\b/i.exec(rest)?.[1]
  if (word !== undefined) return [`\`${word}\` is not an operator.`, 'CEL writes &&, ||, !, == and `in`.']
  return [message]
}
