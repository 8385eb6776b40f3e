import type { PlainValue } from './plain-value.ts'

/** What a `?` or `$1` may be bound to; an array binds a list. Whole numbers bind as BIGINT, others as DOUBLE. */
export type Parameter = Scalar | readonly Scalar[]
export type Scalar = null | boolean | number | bigint | string | Uint8Array

/** How a child is to set up each of its databases. */
export interface ChildSettings {
  tempDir: string
  directories: readonly string[]
  memoryLimitMb: number
  maxTempMb: number
  threads: number
}

/** To the child: one at a time. */
export interface QueryRequest {
  sql: string
  parameters: readonly Parameter[]
  maxRows: number
}

export interface Column {
  name: string
  /** DuckDB's name for the type: `BIGINT`, `VARCHAR[]`. */
  type: string
}

/** From the child: columns, rows in any number of messages, and one `done`; or one `failed` at any time. */
export type Reply =
  | { kind: 'columns'; columns: Column[] }
  | { kind: 'rows'; rows: PlainValue[][] }
  /** `spent`: the child holds on to so much memory that it is better replaced. */
  | { kind: 'done'; spent: boolean }
  | { kind: 'failed'; reason: 'query' | 'out-of-memory' | 'disk-full' | 'too-many-rows'; message: string }
