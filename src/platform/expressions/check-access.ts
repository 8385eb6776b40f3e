import type { ASTNode } from '@marcbachmann/cel-js'
import { type Checker, refuseAt, setObstacle } from './checker.ts'
import type { Span } from './errors.ts'
import { suggestName } from './suggest-name.ts'
import type { Access } from './tree.ts'
import { describeType, readType, type Type } from './types.ts'

const columnKinds: ReadonlySet<string> = new Set(['int', 'double', 'bool', 'string', 'timestamp'])

/** Resolves `variable`, `variable.field` and `variable[position or key]` to where the value is and its declared type. */
export function checkAccess(checker: Checker, node: ASTNode): Access {
  const access = walk(checker, node)
  if (access.path === undefined || !columnKinds.has(access.type.kind)) {
    setObstacle(checker, access.span, 'Only declared values of a single type are columns in SQL.')
  }
  if (!checker.locals.has(access.root)) checker.reads.add(access.declared)
  const { kind, root, steps, path, type, span } = access
  return { kind, root, steps, path, type, span }
}

/** `declared` is the path as far as fields are declared. */
type Walk = Access & { declared: string }

function walk(checker: Checker, node: ASTNode): Walk {
  const span = node.range
  if (node.op === 'id') return findVariable(checker, node.args, span)
  if (node.op === '.') {
    const [target, field] = node.args
    return takeField(checker, walk(checker, target), field, span)
  }
  if (node.op === '[]') {
    const [target, key] = node.args
    return takeItem(checker, walk(checker, target), key, span)
  }
  throw refuseAt(checker, 'expression_unsupported', span, 'Only variables have fields and items.')
}

function findVariable(checker: Checker, name: string, span: Span): Walk {
  const type = checker.scope.get(name)
  if (type === undefined) {
    const hint = suggestName(name, [...checker.scope.keys()], 'variables')
    throw refuseAt(checker, 'expression_unknown_name', span, `No variable has the name \`${name}\`.`, hint)
  }
  const path = checker.locals.has(name) ? undefined : name
  return { kind: 'access', root: name, steps: [], path, declared: name, type, span }
}

function takeField(checker: Checker, target: Walk, field: string, span: Span): Walk {
  const { type } = target
  if (type.kind === 'object') {
    const declared = Object.hasOwn(type.fields, field) ? type.fields[field] : undefined
    if (declared === undefined) {
      const hint = suggestName(field, Object.keys(type.fields), 'fields')
      throw refuseAt(checker, 'expression_unknown_name', span, `No field has the name \`${field}\`.`, hint)
    }
    const path = target.path === undefined ? undefined : `${target.path}.${field}`
    const steps = [...target.steps, field]
    return { ...target, steps, path, declared: path ?? target.declared, type: readType(declared, field), span }
  }
  return {
    ...target,
    steps: [...target.steps, field],
    path: undefined,
    type: itemType(checker, target, 'map', span),
    span,
  }
}

function takeItem(checker: Checker, target: Walk, keyNode: ASTNode, span: Span): Walk {
  const key = checker.check(checker, keyNode)
  const wanted = key.type.kind === 'string' ? 'map' : 'list'
  if (key.type.kind !== 'string' && key.type.kind !== 'int') {
    throw refuseAt(
      checker,
      'expression_type',
      key.span,
      `A position is an int and a key a string; this is ${describeType(key.type)}.`,
    )
  }
  return {
    ...target,
    steps: [...target.steps, key],
    path: undefined,
    type: itemType(checker, target, wanted, span),
    span,
  }
}

function itemType(checker: Checker, { type }: Walk, wanted: 'list' | 'map', span: Span): Type {
  if (type.kind === 'dyn') return type
  if (type.kind === wanted) return type.item
  const what = wanted === 'list' ? 'items' : 'fields'
  throw refuseAt(checker, 'expression_type', span, `A value of type ${describeType(type)} has no ${what}.`)
}
