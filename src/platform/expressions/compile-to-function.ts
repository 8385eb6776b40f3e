import { type Fail, Failure, failuresOf, longListFailure, nullFailure } from './failure.ts'
import { expressionLimits } from './parse-expression.ts'
import type { Access, CheckedExpression, Literal, Tree } from './tree.ts'
import { describeType } from './types.ts'
import { isRecord, readerOf } from './values.ts'

/** Values by the declared names: numbers, strings, booleans, null, Dates or RFC 3339 strings, lists and objects of these. */
export type ExpressionValues = { readonly [name: string]: unknown }

/** Computes one part of an expression: its value, null, or a `Failure`. Timestamps and durations are milliseconds. */
export type Step = (values: ExpressionValues) => unknown

/** Compiles a checked expression to closures; all failures are made here, so that evaluating allocates nothing. */
export function compileToFunction({ text, tree }: CheckedExpression): Step {
  return compile(tree, failuresOf(text))
}

function compile(tree: Tree, fail: Fail): Step {
  switch (tree.kind) {
    case 'literal': {
      const { value } = tree
      return () => value
    }
    case 'access':
      return compileAccess(tree, fail)
    case 'call':
      return compileCall(tree, fail)
    case 'logic':
      return compileLogic(tree, fail)
    case 'choice':
      return compileChoice(tree, fail)
    case 'equality':
      return compileEquality(tree, fail)
    case 'membership':
      return compileMembership(tree.item, tree.options, fail)
    case 'containment':
      return compileContainment(tree, fail)
    case 'presence':
      return compilePresence(tree.of, fail)
    case 'matching': {
      const { compiled } = tree.pattern
      return applied(compile(tree.operand, fail), nullFailure(tree.operand, fail), (operand) =>
        compiled.matcher(String(operand)).find(),
      )
    }
    case 'list': {
      const steps = tree.items.map((item) => compile(item, fail))
      return (values) => {
        const items = steps.map((step) => step(values))
        return items.find((item) => item instanceof Failure) ?? items
      }
    }
    case 'loop':
      return compileLoop(tree, fail)
  }
}

/** Applies a function to an operand that must have a value. */
function applied(operand: Step, whenNull: Failure, apply: (value: unknown) => unknown): Step {
  return (values) => {
    const value = operand(values)
    if (value instanceof Failure) return value
    return value === null ? whenNull : apply(value)
  }
}

function compileCall({ overload, operands, span }: Tree & { kind: 'call' }, fail: Fail): Step {
  const hint = `\`${overload.signature}\` gives no result for such values; guard against them with a condition.`
  const failure = fail(
    'expression_no_result',
    span,
    `has no result: ${overload.withoutAnswer ?? 'the result is out of range'}`,
    hint,
  )
  const [first, second] = operands.map((operand) => ({
    step: compile(operand, fail),
    whenNull: nullFailure(operand, fail),
  }))
  if (first === undefined) return () => failure
  if (second === undefined) return applied(first.step, first.whenNull, (value) => overload.evaluate(value) ?? failure)
  return (values) => {
    const left = first.step(values)
    if (left instanceof Failure) return left
    const right = second.step(values)
    if (right instanceof Failure) return right
    if (left === null) return first.whenNull
    if (right === null) return second.whenNull
    return overload.evaluate(left, right) ?? failure
  }
}

/** `false && x` is false and `true || x` is true, whichever side they stand on and whatever happens on the other. */
function compileLogic({ operator, left, right }: Tree & { kind: 'logic' }, fail: Fail): Step {
  const decisive = operator === '||'
  const first = orFailure(compile(left, fail), nullFailure(left, fail))
  const second = orFailure(compile(right, fail), nullFailure(right, fail))
  return (values) => {
    const a = first(values)
    if (a === decisive) return decisive
    const b = second(values)
    if (b === decisive) return decisive
    return a instanceof Failure ? a : b
  }
}

function orFailure(step: Step, whenNull: Failure): Step {
  return (values) => step(values) ?? whenNull
}

function compileChoice({ condition, whenTrue, whenFalse }: Tree & { kind: 'choice' }, fail: Fail): Step {
  const then = compile(whenTrue, fail)
  const otherwise = compile(whenFalse, fail)
  const choose = orFailure(compile(condition, fail), nullFailure(condition, fail))
  return (values) => {
    const chosen = choose(values)
    if (chosen instanceof Failure) return chosen
    return chosen === true ? then(values) : otherwise(values)
  }
}

function compileEquality({ negated, left, right, span }: Tree & { kind: 'equality' }, fail: Fail): Step {
  const first = compile(left, fail)
  const second = compile(right, fail)
  const notComparable = fail(
    'expression_wrong_value',
    span,
    'compares lists or objects',
    'Compare their fields or items.',
  )
  return (values) => {
    const a = first(values)
    if (a instanceof Failure) return a
    const b = second(values)
    if (b instanceof Failure) return b
    if ((typeof a === 'object' && a !== null) || (typeof b === 'object' && b !== null)) return notComparable
    return (a === b) !== negated
  }
}

function compileMembership(item: Tree, literals: readonly Literal[], fail: Fail): Step {
  const options = new Set<unknown>(literals.map(({ value }) => value))
  const step = compile(item, fail)
  return (values) => {
    const value = step(values)
    return value instanceof Failure ? value : options.has(value)
  }
}

function compileContainment({ item, collection }: Tree & { kind: 'containment' }, fail: Fail): Step {
  const find = compile(item, fail)
  const hold = compile(collection, fail)
  const whenNull = nullFailure(collection, fail)
  const notCollection = fail(
    'expression_wrong_value',
    collection.span,
    'is not a list or a map',
    'Look in a list or a map.',
  )
  const tooLong = longListFailure(collection, fail)
  const read =
    collection.kind === 'access' && collection.type.kind === 'list' ? readerOf(collection.type.item) : undefined
  return (values) => {
    const wanted = find(values)
    if (wanted instanceof Failure) return wanted
    const held = hold(values)
    if (held instanceof Failure) return held
    if (held === null) return whenNull
    if (Array.isArray(held)) {
      if (held.length > expressionLimits.loopItems) return tooLong
      return read === undefined ? held.includes(wanted) : held.some((one) => read(one) === wanted)
    }
    return isRecord(held) ? typeof wanted === 'string' && Object.hasOwn(held, wanted) : notCollection
  }
}

function compileLoop({ macro, list, variable, body }: Tree & { kind: 'loop' }, fail: Fail): Step {
  const listStep = compile(list, fail)
  const condition = orFailure(compile(body, fail), nullFailure(body, fail))
  const whenNull = nullFailure(list, fail)
  const tooLong = longListFailure(list, fail)
  const run = macro === 'filter' ? keepMatching : macro === 'all' ? findDecisive(false) : findDecisive(true)
  return (values) => {
    const items = listStep(values)
    if (items instanceof Failure) return items
    if (!Array.isArray(items)) return whenNull
    if (items.length > expressionLimits.loopItems) return tooLong
    const scope: Record<string, unknown> = { ...values }
    return run(items, (item) => {
      scope[variable] = item
      return condition(scope)
    })
  }
}

type Loop = (items: readonly unknown[], condition: (item: unknown) => unknown) => unknown

/** As && and || over the items: one decisive answer outweighs failures. */
function findDecisive(decisive: boolean): Loop {
  return (items, condition) => {
    let failure: Failure | undefined
    for (const item of items) {
      const answer = condition(item)
      if (answer === decisive) return decisive
      if (answer instanceof Failure) failure ??= answer
    }
    return failure ?? !decisive
  }
}

const keepMatching: Loop = (items, condition) => {
  const kept: unknown[] = []
  for (const item of items) {
    const answer = condition(item)
    if (answer instanceof Failure) return answer
    if (answer === true) kept.push(item)
  }
  return kept
}

/** Reads a value of the declared type, which must be there unless the type is nullable. */
function compileAccess(access: Access, fail: Fail): Step {
  const { type, span } = access
  const find = compileFind(access, fail)
  const read = readerOf(type)
  const missing = fail('expression_missing_value', span, 'has no value', 'Give it a value, or guard it with has().')
  const wrong = fail(
    'expression_wrong_value',
    span,
    `is not of the declared type ${describeType(type)}`,
    'Send a value of the declared type.',
  )
  const whenNull = type.nullable ? null : missing
  const whenAbsent = type.kind === 'dyn' ? missing : whenNull
  return (values) => {
    const found = find(values)
    if (found instanceof Failure) return found
    if (found === undefined) return whenAbsent
    const value = read(found)
    if (value === undefined) return wrong
    return value ?? whenNull
  }
}

/** Whether there is a value, of the declared type and in range. */
function compilePresence(access: Access, fail: Fail): Step {
  const find = compileFind(access, fail)
  const read = readerOf(access.type)
  return (values) => {
    const found = find(values)
    return found instanceof Failure ? found : (read(found) ?? null) !== null
  }
}

/** Walks to a value as the caller gave it; undefined where the way ends early. */
function compileFind({ root, steps }: Access, fail: Fail): Step {
  return steps.reduce<Step>(
    (target, step) => {
      if (typeof step === 'string') return (values) => fieldOf(target(values), step)
      const key = compile(step, fail)
      const whenNull = nullFailure(step, fail)
      return (values) => {
        const found = key(values) ?? whenNull
        return found instanceof Failure ? found : itemOf(target(values), found)
      }
    },
    (values) => values[root],
  )
}

function fieldOf(target: unknown, field: string): unknown {
  if (target instanceof Failure) return target
  return isRecord(target) && Object.hasOwn(target, field) ? target[field] : undefined
}

function itemOf(target: unknown, key: unknown): unknown {
  if (typeof key === 'string') return fieldOf(target, key)
  if (target instanceof Failure) return target
  return Array.isArray(target) && typeof key === 'number' ? target[key] : undefined
}
