import { PaveError } from '#platform/errors.ts'
import { checkExpression } from '#platform/expressions/check-expression.ts'
import type { CheckedExpression } from '#platform/expressions/tree.ts'
import type { ScalarType, VariableType } from '#platform/expressions/types.ts'
import type { DatasetSpec } from './contract.ts'
import { datasetsFailure } from './tables.ts'

/** A dataset's contract, type-checked: what both ingestion (as SQL) and pushed events (in process) are held to. */
export interface CompiledContract {
  /** Of the source, then the derived ones. */
  columns: Map<string, { type: ScalarType; nullable: boolean }>
  derived: { name: string; type: ScalarType; expression: CheckedExpression }[]
  rules: { name: string; action: 'quarantine' | 'warn' | 'fail'; check: CheckedExpression }[]
  /** Columns whose nulls break the rule `not-null:<column>`. */
  required: string[]
}

/** Names of columns that Pave itself adds to rows, and those that every JavaScript object has. */
const reserved = new Set([
  'pave_row',
  'pave_duplicate',
  'pave_label',
  'pave_at',
  'broken_rule',
  'file_row_number',
  'constructor',
  '__proto__',
])

/** @throws `contract_invalid`, or `expression_invalid` naming the rule or column and the position */
export function compileContract(spec: DatasetSpec): CompiledContract {
  const source = new Map(Object.entries(spec.columns))
  const bad = [...source.keys(), ...Object.keys(spec.derived)].find((name) => reserved.has(name))
  if (bad !== undefined) throw datasetsFailure('contract_invalid', `The column name ${bad} is reserved`)
  const both = Object.keys(spec.derived).find((name) => source.has(name))
  if (both !== undefined) {
    throw datasetsFailure('contract_invalid', `The derived column ${both} has the name of a column of the source`)
  }
  if (source.get(spec.timeColumn)?.type !== 'timestamp') {
    throw datasetsFailure(
      'contract_invalid',
      `timeColumn: ${spec.timeColumn} is not a declared column of type timestamp`,
    )
  }
  const stranger = spec.unique?.columns?.find((name) => !source.has(name))
  if (stranger !== undefined) throw datasetsFailure('contract_invalid', `unique: there is no column ${stranger}`)
  const names = spec.rules.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw datasetsFailure('contract_invalid', `Two rules are called ${twice}`)

  const variables: Record<string, VariableType> = {}
  for (const [name, { type, nullable }] of source) variables[name] = nullable ? `${type}?` : type
  const derived = Object.entries(spec.derived).map(([name, { type, expression }]) => ({
    name,
    type,
    expression: checkNamed(`The derived column ${name}`, expression, variables, type),
  }))
  const all = { ...variables, ...Object.fromEntries(derived.map(({ name, type }) => [name, type])) }
  const rules = spec.rules.map(({ name, check, action }) => ({
    name,
    action,
    check: checkNamed(`The rule ${name}`, check, all, 'bool'),
  }))
  return {
    columns: new Map([
      ...[...source].map(([name, { type, nullable }]) => [name, { type, nullable }] as const),
      ...derived.map(({ name, type }) => [name, { type, nullable: true }] as const),
    ]),
    derived,
    rules,
    required: [...source].filter(([, { nullable }]) => !nullable).map(([name]) => name),
  }
}

/** A portable expression; its error says whose it is. @throws `expression_invalid` */
export function checkNamed(
  whose: string,
  text: string,
  variables: Record<string, VariableType>,
  expect: ScalarType,
): CheckedExpression {
  try {
    return checkExpression(text, variables, { expect, portable: true })
  } catch (error) {
    if (!(error instanceof PaveError)) throw error
    throw datasetsFailure('expression_invalid', `${whose}: ${error.message}`, {
      hint: error.hint,
      details: { ...error.details, reason: error.code },
      cause: error,
    })
  }
}
