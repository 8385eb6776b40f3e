import {
  boundDoubleSql,
  boundDurationSql,
  boundIntSql,
  boundTimestampSql,
  quoteString,
  type SqlDialect,
  writeDouble,
} from './sql-dialect.ts'
import type { Kind } from './types.ts'
import {
  boundDouble,
  boundDuration,
  boundInt,
  boundTimestamp,
  compareStrings,
  msPerDay,
  parseTimestamp,
} from './values.ts'

/** One meaning of an operator or function, for one list of argument types. */
export interface Overload {
  /** As people write it: `int + int: int`, `string.startsWith(string): bool`, `math.abs(double): double`. */
  signature: string
  /** `+`, `unary -`, `.startsWith` for a method, `math.abs` or `double` for a function. */
  name: string
  parameters: Kind[]
  returns: Exclude<Kind, 'list' | 'map' | 'object'>
  /** The answer in process, of arguments that are never null; undefined where there is none. */
  evaluate(...operands: unknown[]): unknown
  /** The same in SQL; absent where the databases have no equal. */
  sql: ((dialect: SqlDialect, ...operands: string[]) => string) | undefined
  /** Why `evaluate` had no answer, for the error. */
  withoutAnswer: string
}

const outOfRange = 'the result is out of range'

function declare(
  signature: string,
  meaning: { evaluate(...operands: never[]): unknown; sql?: Overload['sql']; withoutAnswer?: string },
): Overload {
  const { evaluate, sql, withoutAnswer = outOfRange } = meaning
  return { signature, ...readSignature(signature), evaluate, sql, withoutAnswer }
}
