import { errors as datasetErrors } from '#modules/datasets/contract.ts'
import type { CompiledContract } from '#modules/datasets/queries.ts'
import { failure } from '#platform/errors.ts'
import { evaluate } from '#platform/expressions/evaluate-expression.ts'
import { featureStoreFailure } from './tables.ts'

/** A cell as aggregations and keys take it: times are milliseconds since the epoch. */
export type Cell = string | number | boolean | null

export interface Events {
  /** Rows that kept the contract's rules. */
  count: number
  /** The columns asked for. */
  columns: Map<string, Cell[]>
  /** Rows left out, by the first rule that they broke. */
  quarantined: Record<string, number>
}

type Contract = Pick<CompiledContract, 'columns' | 'derived' | 'rules' | 'required'>

/**
 * Events as they were sent, checked against the dataset's contract as ingestion checks rows (duplicates aside, which
 * would need all earlier events), with the derived columns that were not sent.
 *
 * @param wanted columns that the views read
 * @throws `column_missing`, `column_unknown`, `columns_uneven`, `value_invalid`
 */
export function readEvents(sent: unknown, contract: Contract, wanted: ReadonlySet<string>): Events {
  const given = givenColumns(sent, contract)
  const length = given.values().next().value?.length ?? 0
  const rules = contract.rules.filter(({ action }) => action !== 'warn')
  const needed = new Set([...wanted, ...rules.flatMap(({ check }) => check.reads)])
  const derived = contract.derived.filter(({ name }) => needed.has(name) && !given.has(name))
  for (const { expression } of derived) for (const name of expression.reads) needed.add(name)
  const missing = [...needed].filter((name) => !given.has(name) && !derived.some((one) => one.name === name))
  if (missing.length > 0) {
    throw failure(datasetErrors)('column_missing', `The events lack ${missing.join(', ')}`, { details: { missing } })
  }

  const required = contract.required.filter((name) => given.has(name))
  const kept = new Map([...wanted].map((name) => [name, [] as Cell[]]))
  const quarantined: Record<string, number> = {}
  let count = 0
  const row: Record<string, unknown> = {}
  for (let index = 0; index < length; index++) {
    for (const [name, cells] of given) row[name] = cells[index]
    for (const { name, expression } of derived) {
      const result = evaluate(expression, row)
      row[name] = result.ok ? result.value : null
    }
    const broken = brokenRule(row, required, rules)
    if (broken !== undefined) {
      quarantined[broken] = (quarantined[broken] ?? 0) + 1
      continue
    }
    count++
    for (const [name, cells] of kept) cells.push(cellOf(row[name]))
  }
  return { count, columns: kept, quarantined }
}

function brokenRule(
  row: Record<string, unknown>,
  required: readonly string[],
  rules: Contract['rules'],
): string | undefined {
  const absent = required.find((name) => row[name] === null)
  if (absent !== undefined) return `not-null:${absent}`
  return rules.find(({ check }) => {
    const result = evaluate(check, row)
    return !result.ok || result.value !== true
  })?.name
}

function cellOf(value: unknown): Cell {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

/** The columns as sent, every value of its type: times are Dates, so that each is parsed once. */
function givenColumns(sent: unknown, { columns }: Contract): Map<string, unknown[]> {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    throw featureStoreFailure('columns_uneven', 'The columns must be an object with an array for each column', {
      problems: [{ pointer: '/columns', message: 'is no object' }],
    })
  }
  const given = new Map<string, unknown[]>()
  let length: number | undefined
  for (const [name, values] of Object.entries(sent)) {
    const column = columns.get(name)
    if (column === undefined) {
      throw featureStoreFailure('column_unknown', `The dataset has no column ${name}`, {
        problems: [{ pointer: `/columns/${name}`, message: 'is not declared' }],
      })
    }
    if (!Array.isArray(values) || (length !== undefined && values.length !== length)) {
      const found = Array.isArray(values) ? `has ${values.length} values where ${length} are due` : 'is no array'
      throw featureStoreFailure('columns_uneven', `The column ${name} ${found}`, {
        problems: [{ pointer: `/columns/${name}`, message: found }],
      })
    }
    length = values.length
    given.set(name, readColumn(name, values, column.type))
  }
  return given
}

function readColumn(name: string, values: unknown[], type: string): unknown[] {
  const read = readers[type]
  if (read === undefined) throw new TypeError(`${type} is no type of column`)
  return values.map((value, index) => {
    if (value === null) return null
    const cell = read(value)
    if (cell !== undefined) return cell
    const shown = JSON.stringify(value)?.slice(0, 100)
    throw featureStoreFailure('value_invalid', `${name}, value ${index}: ${shown} is no ${type}`, {
      problems: [{ pointer: `/columns/${name}/${index}`, message: `is no ${type}` }],
    })
  })
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** The value as it is computed with, or undefined when it is of another type. */
const readers: Record<string, (value: unknown) => unknown> = {
  int: (value) => (Number.isSafeInteger(value) ? value : undefined),
  double: (value) => (typeof value === 'number' ? value : undefined),
  string: (value) => (typeof value === 'string' ? value : undefined),
  bool: (value) => (typeof value === 'boolean' ? value : undefined),
  timestamp(value) {
    if (typeof value !== 'string' || !rfc3339.test(value)) return undefined
    const milliseconds = Date.parse(value)
    return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds)
  },
}
