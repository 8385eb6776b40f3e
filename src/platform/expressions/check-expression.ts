import type { ASTNode } from '@marcbachmann/cel-js'
import { checkAccess } from './check-access.ts'
import { checkCall, checkMethod } from './check-call.ts'
import { type Checker, callOverload, refuseAt, setObstacle } from './checker.ts'
import { refuseExpression } from './errors.ts'
import { measure } from './measure.ts'
import { expressionLimits, parseExpression } from './parse-expression.ts'
import type { CheckedExpression, Literal, Tree } from './tree.ts'
import { describeType, readType, type ScalarType, scalar, type Type, type Variables } from './types.ts'
import { boundDouble, boundInt } from './values.ts'

export interface CheckOptions {
  /** The type the answer must have; it may still be null where nullable variables flow into it. */
  expect?: ScalarType
  /** Refuse what cannot be written in SQL with the same meaning. */
  portable?: boolean
}

/**
 * Parses and type-checks an expression over declared variables, within static limits. Throws a `PaveError` of
 * `expressionErrors` whose `details` are `{ position, part }`; what passes can always be evaluated, and compiled to SQL
 * if `portable`.
 */
export function checkExpression(text: string, variables: Variables, options: CheckOptions = {}): CheckedExpression {
  const scope = new Map(Object.entries(variables).map(([name, declared]) => [name, readType(declared, name)]))
  const checker: Checker = { text, scope, locals: new Set(), reads: new Set(), obstacle: undefined, check }
  const tree = check(checker, parseExpression(text))
  refuseLargeTree(text, tree)
  const type = resultType(checker, tree, options.expect)
  const { obstacle } = checker
  if (options.portable === true && obstacle !== undefined) {
    throw refuseExpression('expression_not_portable', text, obstacle.span, obstacle.message, obstacle.hint)
  }
  return {
    text,
    type,
    nullable: tree.type.nullable,
    reads: [...checker.reads].sort(),
    portable: obstacle === undefined,
    obstacle,
    tree,
  }
}

function refuseLargeTree(text: string, tree: Tree): void {
  const { depth, steps } = measure(tree)
  if (depth > expressionLimits.depth) {
    const message = `Operators and calls nest ${depth} deep; ${expressionLimits.depth} is the limit.`
    throw refuseExpression('expression_too_complex', text, tree.span, message)
  }
  if (steps > expressionLimits.steps) {
    const message = `Evaluating it could take ${steps} steps; ${expressionLimits.steps} is the limit.`
    throw refuseExpression('expression_too_complex', text, tree.span, message)
  }
}

const resultTypes = ['int', 'double', 'bool', 'string', 'timestamp', 'dyn'] as const

function resultType(checker: Checker, tree: Tree, expected: ScalarType | undefined): ScalarType | 'dyn' {
  const type = resultTypes.find((kind) => kind === tree.type.kind)
  if (type === undefined || (expected !== undefined && type !== expected)) {
    const needed = expected ?? 'a single value'
    throw refuseAt(
      checker,
      'expression_result_type',
      tree.span,
      `The expression yields ${describeType(tree.type)}, but ${needed} is needed here.`,
      resultHint(tree.type, expected),
    )
  }
  return type
}

function resultHint(type: Type, expected: ScalarType | undefined): string {
  if (expected === 'bool') return 'End with a comparison, for example `x > 0`.'
  if (type.kind === 'duration') return 'Compare the duration, add it to a timestamp, or end with .getSeconds().'
  return expected === undefined ? 'End with a number, string, bool or timestamp.' : `Write ${expected}(…) around it.`
}

function check(checker: Checker, node: ASTNode): Tree {
  const span = node.range
  switch (node.op) {
    case 'value':
      return checkLiteral(checker, node.args, node)
    case 'id':
    case '.':
    case '[]':
      return checkAccess(checker, node)
    case 'call':
      return checkCall(checker, node, node.args[0], node.args[1])
    case 'rcall':
      return checkMethod(checker, node, ...node.args)
    case '&&':
    case '||': {
      const [left, right] = node.args
      const operands = { left: checkBool(checker, left), right: checkBool(checker, right) }
      return { kind: 'logic', operator: node.op, ...operands, type: scalar('bool'), span }
    }
    case '?:':
      return checkChoice(checker, node, node.args)
    case '==':
    case '!=':
      return checkEquality(checker, node, node.args, node.op === '!=')
    case 'in':
      return checkMembership(checker, node, node.args)
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return callOverload(
        checker,
        node.op,
        node.args.map((operand) => check(checker, operand)),
        span,
      )
    case '!_':
      return callOverload(checker, 'unary !', [checkBool(checker, node.args)], span)
    case '-_':
      return checkNegation(checker, node, node.args)
    case 'list':
      return checkList(checker, node, node.args)
    default:
      throw refuseAt(
        checker,
        'expression_unsupported',
        span,
        'Map literals and optional fields are left out of the language.',
      )
  }
}

function checkLiteral(checker: Checker, value: unknown, { range: span }: ASTNode): Tree {
  if (value === null) return { kind: 'literal', value, type: scalar('null'), span }
  if (typeof value === 'boolean') return { kind: 'literal', value, type: scalar('bool'), span }
  if (typeof value === 'string') {
    if (value.includes('\0')) setObstacle(checker, span, 'PostgreSQL has no strings with a NUL character.')
    return { kind: 'literal', value, type: scalar('string'), span }
  }
  if (typeof value === 'bigint') return numberLiteral(checker, boundInt(Number(value)), 'int', span)
  if (typeof value === 'number') return numberLiteral(checker, boundDouble(value), 'double', span)
  throw refuseAt(checker, 'expression_unsupported', span, 'Bytes and unsigned integers are left out of the language.')
}

function numberLiteral(checker: Checker, value: number | undefined, kind: 'int' | 'double', span: Tree['span']): Tree {
  if (value !== undefined) return { kind: 'literal', value, type: scalar(kind), span }
  const limits = kind === 'int' ? 'An int is at most 2^53 - 1.' : 'A double is at most 1e150.'
  throw refuseAt(checker, 'expression_type', span, 'The number is out of range.', limits)
}

function checkNegation(checker: Checker, node: ASTNode, operand: ASTNode): Tree {
  const checked = check(checker, operand)
  if (checked.kind === 'literal' && typeof checked.value === 'number' && checked.type.kind !== 'timestamp') {
    return { ...checked, value: 0 - checked.value, span: node.range }
  }
  return callOverload(checker, 'unary -', [checked], node.range)
}

function checkBool(checker: Checker, node: ASTNode): Tree {
  const tree = check(checker, node)
  if (tree.type.kind === 'bool') return tree
  if (tree.type.kind === 'dyn') return callOverload(checker, 'bool', [tree], tree.span)
  const message = `A condition must be a bool; this is ${describeType(tree.type)}.`
  throw refuseAt(checker, 'expression_type', tree.span, message, 'Compare it, for example `x != 0` or `x != ""`.')
}

function checkChoice(checker: Checker, node: ASTNode, parts: [ASTNode, ASTNode, ASTNode]): Tree {
  const condition = checkBool(checker, parts[0])
  const whenTrue = check(checker, parts[1])
  const whenFalse = check(checker, parts[2])
  const known = whenTrue.type.kind === 'null' ? whenFalse.type : whenTrue.type
  const fits = [whenTrue, whenFalse].every(({ type }) => type.kind === known.kind || type.kind === 'null')
  if (!fits || known.kind === 'null' || known.kind === 'list' || known.kind === 'map' || known.kind === 'object') {
    const message = `The branches yield ${describeType(whenTrue.type)} and ${describeType(whenFalse.type)}.`
    throw refuseAt(
      checker,
      'expression_type',
      node.range,
      message,
      'Convert one branch, so that both yield one type of value.',
    )
  }
  const type = scalar(known.kind, whenTrue.type.nullable || whenFalse.type.nullable)
  const typed = (branch: Tree): Tree => (branch.type.kind === 'null' ? { ...branch, type } : branch)
  return { kind: 'choice', condition, whenTrue: typed(whenTrue), whenFalse: typed(whenFalse), type, span: node.range }
}

function checkEquality(checker: Checker, node: ASTNode, sides: [ASTNode, ASTNode], negated: boolean): Tree {
  const left = check(checker, sides[0])
  const right = check(checker, sides[1])
  const span = node.range
  const kinds = [left.type.kind, right.type.kind]
  if (kinds.includes('null')) {
    const other = kinds[0] === 'null' ? right : left
    if (!other.type.nullable || other.type.kind === 'null') {
      const hint = `Declare the variable as ${describeType(other.type)}? if it may be null; otherwise drop the comparison.`
      throw refuseAt(
        checker,
        'expression_type',
        span,
        `A value of type ${describeType(other.type)} is never null.`,
        hint,
      )
    }
  } else if (!areComparable(left.type, right.type)) {
    const message = `\`${describeType(left.type)}\` and \`${describeType(right.type)}\` are never equal.`
    throw refuseAt(checker, 'expression_type', span, message)
  }
  for (const side of [left, right]) {
    if (side.type.kind === 'dyn') setObstacle(checker, side.span, 'The type of this value is not declared.')
    else if (side.type.nullable && side.kind !== 'access' && side.kind !== 'literal') {
      setObstacle(
        checker,
        side.span,
        'SQL cannot tell null from an error inside a comparison.',
        'Compare within the branches.',
      )
    }
  }
  return { kind: 'equality', negated, left, right, type: scalar('bool'), span }
}

const comparableKinds: ReadonlySet<string> = new Set(['int', 'double', 'bool', 'string', 'timestamp', 'duration'])

function areComparable(a: Type, b: Type): boolean {
  const numbers = (type: Type) => type.kind === 'int' || type.kind === 'double'
  if (a.kind === 'dyn' || b.kind === 'dyn') {
    const other = a.kind === 'dyn' ? b.kind : a.kind
    return other === 'dyn' || (comparableKinds.has(other) && other !== 'timestamp' && other !== 'duration')
  }
  return (a.kind === b.kind && comparableKinds.has(a.kind)) || (numbers(a) && numbers(b))
}

function checkList(checker: Checker, node: ASTNode, nodes: ASTNode[]): Tree {
  const items = nodes.map((item) => check(checker, item))
  const [first] = items
  const stranger = items.find((item) => first !== undefined && !areComparable(item.type, first.type))
  if (first !== undefined && stranger !== undefined) {
    const message = `A list holds one type; this is ${describeType(stranger.type)} among ${describeType(first.type)}.`
    throw refuseAt(checker, 'expression_type', stranger.span, message)
  }
  return {
    kind: 'list',
    items,
    type: { kind: 'list', nullable: false, item: first?.type ?? scalar('dyn') },
    span: node.range,
  }
}

function checkMembership(checker: Checker, node: ASTNode, [itemNode, collectionNode]: [ASTNode, ASTNode]): Tree {
  const item = check(checker, itemNode)
  const collection = check(checker, collectionNode)
  const span = node.range
  const type = scalar('bool')
  const held = heldBy(collection.type)
  if (held === undefined || !(areComparable(item.type, held) || isEmptyList(collection))) {
    const message = `\`in\` cannot look for ${describeType(item.type)} in ${describeType(collection.type)}.`
    throw refuseAt(
      checker,
      'expression_type',
      span,
      message,
      'Write a list on the right, for example `x in ["a", "b"]`.',
    )
  }
  const options = constantsOf(collection)
  if (options === undefined || item.type.kind === 'dyn') {
    setObstacle(checker, span, 'Membership in a list that is not constant cannot be written in SQL.')
  } else if (item.type.nullable && item.kind !== 'access') {
    setObstacle(checker, item.span, 'SQL cannot tell null from an error inside a comparison.')
  }
  return options === undefined
    ? { kind: 'containment', item, collection, type, span }
    : { kind: 'membership', item, options, type, span }
}

function heldBy(collection: Type): Type | undefined {
  if (collection.kind === 'list') return collection.item
  if (collection.kind === 'map') return scalar('string')
  return collection.kind === 'dyn' ? collection : undefined
}

function isEmptyList(tree: Tree): boolean {
  return tree.kind === 'list' && tree.items.length === 0
}

function constantsOf(tree: Tree): Literal[] | undefined {
  if (tree.kind !== 'list') return undefined
  const constants = tree.items.flatMap((item) => (item.kind === 'literal' ? [item] : []))
  return constants.length === tree.items.length ? constants : undefined
}
