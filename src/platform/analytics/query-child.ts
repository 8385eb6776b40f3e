import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { platformFailure } from '../errors.ts'
import { analyticsFailure } from './errors.ts'
import type { ChildSettings, Column, QueryRequest, Reply } from './messages.ts'
import type { PlainValue } from './plain-value.ts'

export interface QueryResult {
  /** In the order of the SELECT; a second column of the same name is called `name:1`. */
  columns: Column[]
  rows: Record<string, PlainValue>[]
}

export interface QueryLimits {
  timeoutMs: number
  signal?: AbortSignal | undefined
}

/** One child process. It keeps this process from exiting only while it runs a query. */
export interface QueryChild {
  /** One at a time. When it fails for any reason but the query itself, the child is dead. */
  execute(request: QueryRequest, limits: QueryLimits): Promise<QueryResult>
  usable(): boolean
  /** Resolved when the process is gone and its temporary files are deleted. */
  kill(): Promise<void>
}

/** Beside this file, and stripped of its types where this file is. */
const program = new URL(`./child${extname(import.meta.url)}`, import.meta.url)

export function startChild(settings: ChildSettings): QueryChild {
  // An empty environment and no options of this process: DuckDB needs neither, nor should it know any secret.
  const child = fork(program, [JSON.stringify(settings)], {
    env: {},
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  let spent = false
  const gone = once(child, 'close')
    .catch(() => undefined)
    .then(() => rm(join(settings.tempDir, `duckdb-${child.pid}`), { recursive: true, force: true }))
  release()

  /** Lets this process exit while the child is idle. */
  function release() {
    child.unref()
    child.channel?.unref()
  }

  const kill = () => {
    spent = true
    child.kill('SIGKILL')
    return gone
  }

  return {
    usable: () => !spent && child.connected && child.signalCode === null,
    kill,

    async execute(request, { timeoutMs, signal }) {
      const { promise, resolve, reject } = Promise.withResolvers<QueryResult>()
      const result: QueryResult = { columns: [], rows: [] }
      const stop = (reason: unknown) => {
        reject(reason)
        void kill()
      }
      const onReply = (reply: Reply) => {
        if (reply.kind === 'columns') result.columns = reply.columns
        else if (reply.kind === 'rows') for (const row of reply.rows) result.rows.push(toRecord(result.columns, row))
        else if (reply.kind === 'failed') settleFailure(reply)
        else {
          spent = reply.spent
          resolve(result)
        }
      }
      const settleFailure = ({ reason, message }: Reply & { kind: 'failed' }) => {
        if (reason === 'query') return reject(analyticsFailure('analytics_query_failed', message))
        if (reason === 'too-many-rows') return reject(analyticsFailure('analytics_too_many_rows', message))
        if (reason === 'out-of-memory') return stop(analyticsFailure('analytics_out_of_memory', message))
        return stop(platformFailure('disk_full', `No space is left on a disk that the query writes to: ${message}`))
      }
      const onEnd = (code: number | null, killedBy: string | null) =>
        reject(analyticsFailure('analytics_crashed', `The query process died (${killedBy ?? `exit code ${code}`})`))
      const onError = (cause: Error) =>
        stop(analyticsFailure('analytics_crashed', `The query process cannot be reached: ${cause.message}`, { cause }))
      const onAbort = () => stop(signal?.reason)
      const timer = setTimeout(
        () => stop(analyticsFailure('analytics_timeout', `The query was killed after ${timeoutMs} ms`)),
        timeoutMs,
      )
      child.on('message', onReply).on('exit', onEnd).on('error', onError)
      signal?.addEventListener('abort', onAbort)
      child.ref()
      child.channel?.ref()
      try {
        if (signal?.aborted) onAbort()
        else child.send(request, (error) => error && onError(error))
        return await promise
      } finally {
        clearTimeout(timer)
        child.off('message', onReply).off('exit', onEnd).off('error', onError)
        signal?.removeEventListener('abort', onAbort)
        release()
      }
    },
  }
}

function toRecord(columns: readonly Column[], row: readonly PlainValue[]): Record<string, PlainValue> {
  return Object.fromEntries(columns.map(({ name }, i) => [name, row[i] ?? null]))
}
