import type { SqlDialect } from './sql-dialect.ts'
import type { Kind } from './types.ts'

/** One meaning of an operator or function, for one list of operand types. */
export interface Overload {
  /** As people write it: `int + int: int`, `string.startsWith(string): bool`, `math.abs(double): double`. */
  signature: string
  /** `+`; `unary -`; `.startsWith` for a method, whose receiver is the first operand; `math.abs`. */
  name: string
  parameters: string[]
  returns: Exclude<Kind, 'list' | 'map' | 'object'>
  /** The answer in process for operands that are not null; undefined where there is none. */
  evaluate(...operands: unknown[]): unknown
  /** The same in SQL; absent where the databases have no equal. */
  sql?: (dialect: SqlDialect, ...operands: string[]) => string
  /** How many levels it adds to an expression; some are long in SQL. */
  depth: number
  /** Why `evaluate` may have no answer. */
  withoutAnswer?: string
}

type Meaning = Pick<Overload, 'sql' | 'withoutAnswer'> & { depth?: number } & {
  evaluate(...operands: never[]): unknown
}

const returnKinds = ['int', 'double', 'bool', 'string', 'timestamp', 'duration'] as const

/** Declares an overload; name, operand types and result are read from the signature. */
export function overload(signature: string, meaning: Meaning): Overload {
  const [form = '', returned = ''] = signature.split(': ')
  const returns = returnKinds.find((kind) => kind === returned)
  if (returns === undefined) throw new TypeError(`${signature} returns no type`)
  return { depth: 1, ...meaning, signature, returns, ...readForm(form) }
}

function readForm(form: string): { name: string; parameters: string[] } {
  const call = /^(?:(\w+)\.)?(\w+)\((.*)\)$/.exec(form)
  if (call !== null) {
    const [, receiver, name = '', list = ''] = call
    const parameters = list === '' ? [] : list.split(', ')
    if (receiver === undefined) return { name, parameters }
    if (receiver === 'math') return { name: `math.${name}`, parameters }
    return { name: `.${name}`, parameters: [receiver, ...parameters] }
  }
  const [left = '', operator = '', right] = form.split(' ')
  return right === undefined
    ? { name: `unary ${left}`, parameters: [operator] }
    : { name: operator, parameters: [left, right] }
}
