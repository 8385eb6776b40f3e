import type { ASTNode } from '@marcbachmann/cel-js'
import { checkAccess } from './check-access.ts'
import { type Checker, callOverload, refuseAt, setObstacle } from './checker.ts'
import type { Span } from './errors.ts'
import { functionNames, overloadsOf } from './functions.ts'
import { compilePattern } from './portable-pattern.ts'
import { suggestName } from './suggest-name.ts'
import type { Tree } from './tree.ts'
import { describeType, scalar } from './types.ts'
import { parseDuration, parseTimestamp } from './values.ts'

/** Resolves `f(x)`. */
export function checkCall(checker: Checker, node: ASTNode, name: string, nodes: ASTNode[]): Tree {
  const span = node.range
  if (name === 'has') return checkPresence(checker, nodes, span)
  const text = constantText(nodes)
  if (name === 'timestamp' && text !== undefined) return timeLiteral(checker, node, parseTimestamp(text), 'timestamp')
  if (name === 'duration' && text !== undefined) return timeLiteral(checker, node, parseDuration(text), 'duration')
  if (name === 'duration') {
    const hint = 'Write a constant, duration("90m"), or seconds(x), minutes(x), hours(x), days(x) for a number.'
    throw refuseAt(checker, 'expression_unsupported', span, 'A duration is read from a constant only.', hint)
  }
  return callNamed(checker, name, nodes, span)
}

function constantText([node, ...others]: ASTNode[]): string | undefined {
  return node?.op === 'value' && typeof node.args === 'string' && others.length === 0 ? node.args : undefined
}

/** Resolves `x.f(y)`, `math.f(x)` and the loops `list.all(item, condition)`. */
export function checkMethod(checker: Checker, node: ASTNode, name: string, receiver: ASTNode, nodes: ASTNode[]): Tree {
  const span = node.range
  if (receiver.op === 'id' && receiver.args === 'math') return callNamed(checker, `math.${name}`, nodes, span)
  if (name === 'all' || name === 'exists' || name === 'filter') return checkLoop(checker, name, receiver, nodes, span)
  if (name === 'matches') return checkMatching(checker, [receiver, ...nodes], span)
  return callNamed(checker, `.${name}`, [receiver, ...nodes], span)
}

function callNamed(checker: Checker, name: string, nodes: ASTNode[], span: Span): Tree {
  if (overloadsOf(name).length === 0) {
    const shown = name.replace(/^\./, '')
    const message = `No function has the name \`${shown}\`.`
    throw refuseAt(checker, 'expression_unknown_name', span, message, suggestName(shown, functionNames, 'functions'))
  }
  const operands = nodes.map((operand) => checker.check(checker, operand))
  const [first, ...rest] = operands
  if ((name === 'math.greatest' || name === 'math.least') && first !== undefined && rest.length > 1) {
    return rest.reduce((greatest, operand) => callOverload(checker, name, [greatest, operand], span), first)
  }
  return callOverload(checker, name, operands, span)
}

function timeLiteral(checker: Checker, node: ASTNode, value: number | undefined, kind: 'timestamp' | 'duration'): Tree {
  if (value !== undefined) return { kind: 'literal', value, type: scalar(kind), span: node.range }
  const example = kind === 'timestamp' ? '2013-01-01T06:00:00Z' : '1h30m'
  throw refuseAt(checker, 'expression_type', node.range, `This is not a ${kind}.`, `Write it as ${kind}("${example}").`)
}

function checkPresence(checker: Checker, nodes: ASTNode[], span: Span): Tree {
  const [node] = nodes
  if (node === undefined || nodes.length > 1 || (node.op !== '.' && node.op !== '[]')) {
    throw refuseAt(
      checker,
      'expression_type',
      span,
      'has() takes one field.',
      'Write has(x.field), or x != null for a variable.',
    )
  }
  return { kind: 'presence', of: checkAccess(checker, node), type: scalar('bool'), span }
}

function checkMatching(checker: Checker, nodes: ASTNode[], span: Span): Tree {
  const [operand, source] = nodes.map((node) => checker.check(checker, node))
  if (operand?.type.kind !== 'string' || source?.kind !== 'literal' || typeof source.value !== 'string') {
    const hint = 'Write x.matches("^A[0-9]+$") with x a string.'
    throw refuseAt(checker, 'expression_type', span, '`matches` takes a string and a constant pattern.', hint)
  }
  const pattern = compilePattern(source.value)
  if (pattern === undefined) {
    const hint = 'Patterns are RE2: no look-around, no back-references, at most 500 characters.'
    throw refuseAt(checker, 'expression_type', source.span, 'This is not a regular expression.', hint)
  }
  if (pattern.postgres === undefined) {
    const hint = 'Use literals, [classes], \\d \\w \\s, groups, alternatives, anchors and repetitions up to 255.'
    setObstacle(checker, source.span, 'PostgreSQL has no equal pattern.', hint)
  }
  return { kind: 'matching', operand, source: source.value, pattern, type: scalar('bool'), span }
}

function checkLoop(
  checker: Checker,
  macro: 'all' | 'exists' | 'filter',
  receiver: ASTNode,
  nodes: ASTNode[],
  span: Span,
): Tree {
  const [variableNode, bodyNode] = nodes
  const list = checker.check(checker, receiver)
  const overData = list.kind === 'access' || list.kind === 'loop'
  if (
    list.type.kind !== 'list' ||
    !overData ||
    variableNode?.op !== 'id' ||
    bodyNode === undefined ||
    nodes.length !== 2
  ) {
    const message = `\`${macro}\` takes a list variable, a name for its items and a condition.`
    throw refuseAt(checker, 'expression_type', span, message, `Write list.${macro}(item, item > 0).`)
  }
  setObstacle(checker, span, 'Loops over lists cannot be written in SQL.')
  const variable = variableNode.args
  const inner: Checker = {
    ...checker,
    scope: new Map(checker.scope).set(variable, list.type.item),
    locals: new Set(checker.locals).add(variable),
  }
  const body = checker.check(inner, bodyNode)
  if (body.type.kind !== 'bool') {
    throw refuseAt(
      checker,
      'expression_type',
      body.span,
      `A condition must be a bool; this is ${describeType(body.type)}.`,
    )
  }
  const type = macro === 'filter' ? list.type : scalar('bool')
  return { kind: 'loop', macro, list, variable, body, type, span }
}
