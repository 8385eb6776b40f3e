import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { analyticsFailure } from './errors.ts'
import type { Parameter } from './messages.ts'
import { type QueryChild, type QueryLimits, type QueryResult, startChild } from './query-child.ts'

export type { Parameter } from './messages.ts'
export type { PlainValue } from './plain-value.ts'
export type { QueryResult } from './query-child.ts'

export interface AnalyticsOptions {
  /** Where DuckDB spills what does not fit into memory. */
  tempDir: string
  /** Directories whose files queries may read and write; they reach no others. */
  directories: readonly string[]
  /** DuckDB's limit for one query; its process is killed beyond one and a half times this plus 256 MiB. */
  memoryLimitMb: number
  /** Most disk that one query may spill to; ten times the memory by default. */
  maxTempMb?: number
  threads: number
  timeoutMs: number
  /** Queries that run at once; each has a process, which is kept for the next. */
  maxChildren: number
  /** Queries that may wait for a process; 100 by default, the next one is refused with `analytics_busy`. */
  maxQueued?: number
}

export interface QueryOptions {
  /** Of running, not of waiting. */
  timeoutMs?: number
  /** 10,000 by default; one row more is `analytics_too_many_rows`. */
  maxRows?: number
  signal?: AbortSignal
}

/**
 * DuckDB in child processes that can be killed without harm. Each call has a fresh in-memory database. It may hold several
 * statements, separated by semicolons: the parameters go to the last one and the rows come from it. Without ORDER BY,
 * rows come in any order. Time zone is UTC; `plainValue` says which type becomes what.
 */
export interface Analytics {
  query(sql: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<QueryResult>
  /** For statements whose rows nobody reads, such as `COPY … TO`; one that is killed leaves an unfinished file behind. */
  run(sql: string, parameters?: readonly Parameter[], options?: QueryOptions): Promise<void>
  /** Kills what runs (`analytics_closed`) and deletes temporary files. */
  close(): Promise<void>
}

const defaultMaxRows = 10_000
const defaultMaxQueued = 100

export async function openAnalytics(options: AnalyticsOptions): Promise<Analytics> {
  const { tempDir, maxChildren, maxQueued = defaultMaxQueued } = options
  const settings = { ...options, maxTempMb: options.maxTempMb ?? options.memoryLimitMb * 10 }
  await mkdir(tempDir, { recursive: true })
  await deleteOrphans(tempDir)

  const children = new Set<QueryChild>()
  const idle: QueryChild[] = []
  const waiting = new Set<() => void>()
  let running = 0
  let closed = false

  /** Resolves when one of the `maxChildren` turns is free. */
  async function takeTurn(signal: AbortSignal | undefined): Promise<void> {
    if (running < maxChildren) {
      running++
      return
    }
    if (waiting.size >= maxQueued) throw analyticsFailure('analytics_busy', `${maxQueued} queries wait already`)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = () => reject(signal?.reason)
    waiting.add(resolve)
    signal?.addEventListener('abort', abort)
    try {
      await promise
    } finally {
      waiting.delete(resolve)
      signal?.removeEventListener('abort', abort)
    }
  }

  /** The turn passes to whoever waits longest. */
  function passTurn(): void {
    const [next] = waiting
    if (next === undefined) running--
    else {
      waiting.delete(next)
      next()
    }
  }

  function takeChild(): QueryChild {
    for (let child = idle.pop(); child; child = idle.pop()) {
      if (child.usable()) return child
      discard(child)
    }
    const child = startChild(settings)
    children.add(child)
    return child
  }

  function discard(child: QueryChild): void {
    void child.kill().finally(() => children.delete(child))
  }

  async function execute(sql: string, parameters: readonly Parameter[], maxRows: number, limits: QueryLimits) {
    limits.signal?.throwIfAborted()
    await takeTurn(limits.signal)
    try {
      if (closed) throw closing()
      const child = takeChild()
      try {
        return await child.execute({ sql, parameters, maxRows }, limits)
      } finally {
        if (child.usable()) idle.push(child)
        else discard(child)
      }
    } catch (error) {
      throw closed ? closing() : error
    } finally {
      passTurn()
    }
  }

  const query: Analytics['query'] = (sql, parameters = [], { timeoutMs, maxRows, signal } = {}) =>
    execute(sql, parameters, maxRows ?? defaultMaxRows, { timeoutMs: timeoutMs ?? options.timeoutMs, signal })

  return {
    query,
    async run(sql, parameters, options) {
      await query(sql, parameters, options)
    },
    async close() {
      closed = true
      await Promise.all([...children].map((child) => child.kill()))
    },
  }
}

const closing = () => analyticsFailure('analytics_closed', 'Analytics is closed')

/** Spilled files of children that died together with their parent. */
async function deleteOrphans(tempDir: string): Promise<void> {
  for (const name of await readdir(tempDir)) {
    const pid = Number(/^duckdb-(\d+)$/.exec(name)?.[1])
    if (pid > 0 && !isAlive(pid)) await rm(join(tempDir, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
