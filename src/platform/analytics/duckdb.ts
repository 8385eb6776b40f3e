/** A value in a result: DuckDB's types as plain JavaScript (see `plain-value.ts` for which becomes what). */
export type PlainValue = null | boolean | number | string | Uint8Array | PlainValue[] | { [name: string]: PlainValue }

/** What a `?` or `$1` may be bound to; an array binds a list. */
export type Parameter = null | boolean | number | bigint | string | Uint8Array | readonly Parameter[]

export interface QueryResult {
  /** In the order of the SELECT; `type` is DuckDB's name for it: `BIGINT`, `VARCHAR[]`. */
  columns: { name: string; type: string }[]
  rows: Record<string, PlainValue>[]
}

export interface QueryOptions {
  /** Of running, not of waiting for a free child. */
  timeoutMs?: number
  /** More rows than this are `analytics_too_many_rows`; write big results to Parquet by `COPY` instead. */
  maxRows?: number
  signal?: AbortSignal
}

/**
 * DuckDB in child processes. Each call sees a fresh in-memory database. A call may hold several statements separated by
 * semicolons: parameters belong to the last one, and so do the rows.
 */
export interface Analytics {
  query(sql: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<QueryResult>
  /** For statements without a result worth reading, `COPY` above all. */
  run(sql: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<void>
  close(): Promise<void>
}

export interface AnalyticsOptions {
  /** Where DuckDB spills what does not fit into memory. */
  tempDir: string
  /** Directories whose files queries may read and write; no others. */
  directories: readonly string[]
  /** DuckDB's limit for one query; the child is killed at one and a half times this plus 256 MB of resident memory. */
  memoryLimitMb: number
  /** Most disk that one query may spill to. */
  maxTempMb?: number
  threads: number
  timeoutMs: number
  /** Queries that run at once. */
  maxChildren: number
  /** Queries that may wait for a child; the next one is refused with `analytics_busy`. */
  maxQueued?: number
}
