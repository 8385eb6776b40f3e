import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  blobValue,
  DOUBLE,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  HUGEINT,
  LIST,
  listValue,
  SQLNULL,
  VARCHAR,
} from '@duckdb/node-api'
import type { ChildSettings, Parameter, QueryRequest, Reply, Scalar } from './messages.ts'
import { plainValue } from './plain-value.ts'
import { sqlString } from './sql-text.ts'

/**
 * The program of a child process: answers one query at a time, each in a database of its own, and dies with its parent.
 * DuckDB works on threads of its own, so that this event loop stays free to watch memory and parent meanwhile.
 */
const settings: ChildSettings = JSON.parse(process.argv[2] ?? '{}')
const tempDir = join(settings.tempDir, `duckdb-${process.pid}`)
/** DuckDB's limit leaves out some of what it allocates; beyond this the child gives up before the system does. */
const mostResidentBytes = (settings.memoryLimitMb * 1.5 + 256) * 2 ** 20
const spentResidentBytes = (settings.memoryLimitMb * 0.5 + 256) * 2 ** 20
const rowsPerMessage = 500
const memoryCheckMs = 50

process.on('disconnect', die)
process.on('message', (request) => void answer(request as QueryRequest))

async function answer(request: QueryRequest): Promise<void> {
  const watch = setInterval(giveUpBeyondMemory, memoryCheckMs)
  try {
    await run(request)
    await send({ kind: 'done', spent: process.memoryUsage.rss() > spentResidentBytes })
  } catch (error) {
    await send(failed(error))
  } finally {
    clearInterval(watch)
  }
}

async function run({ sql, parameters, maxRows }: QueryRequest): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${settings.memoryLimitMb}MiB`,
    threads: String(settings.threads),
    temp_directory: tempDir,
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  try {
    const connection = await instance.connect()
    // DuckDB 1.5 ignores the first of these when it is given above.
    await connection.run(`
      SET max_temp_directory_size = '${settings.maxTempMb}MiB';
      SET TimeZone = 'UTC';
      SET allowed_directories = [${settings.directories.map(sqlString).join(', ')}];
      SET enable_external_access = false;
      SET lock_configuration = true`)
    await stream(connection, sql, parameters, maxRows)
    connection.closeSync()
  } finally {
    instance.closeSync()
  }
}

async function stream(
  connection: DuckDBConnection,
  sql: string,
  parameters: readonly Parameter[],
  maxRows: number,
): Promise<void> {
  const bound = parameters.map(bind)
  const result = await connection.stream(
    sql,
    bound.map(([value]) => value),
    bound.map(([, type]) => type),
  )
  const names = result.deduplicatedColumnNames()
  const types = result.columnTypes()
  await send({ kind: 'columns', columns: names.map((name, i) => ({ name, type: String(types[i]) })) })
  let sent = 0
  for await (const rows of result.yieldRows()) {
    sent += rows.length
    if (sent > maxRows) throw new TooManyRows(maxRows)
    for (let start = 0; start < rows.length; start += rowsPerMessage) {
      const part = rows.slice(start, start + rowsPerMessage)
      await send({ kind: 'rows', rows: part.map((row) => row.map(plainValue)) })
    }
  }
}

function bind(parameter: Parameter): [DuckDBValue, DuckDBType] {
  if (!isList(parameter)) return bindScalar(parameter)
  // All items of a list have one type; whole numbers next to fractions become DOUBLE.
  const items = parameter.map(bindScalar)
  const types = items.map(([, type]) => type).filter((type) => type !== SQLNULL)
  const type = types.includes(DOUBLE) ? DOUBLE : (types[0] ?? SQLNULL)
  const values = items.map(([value]) => (type === DOUBLE && typeof value === 'bigint' ? Number(value) : value))
  return [listValue(values), LIST(type)]
}

function bindScalar(value: Scalar): [DuckDBValue, DuckDBType] {
  if (value === null) return [null, SQLNULL]
  if (typeof value === 'boolean') return [value, BOOLEAN]
  if (typeof value === 'string') return [value, VARCHAR]
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? [value, BIGINT] : [value, HUGEINT]
  if (typeof value === 'number') return Number.isSafeInteger(value) ? [BigInt(value), BIGINT] : [value, DOUBLE]
  return [blobValue(value), BLOB]
}

function isList(parameter: Parameter): parameter is readonly Scalar[] {
  return Array.isArray(parameter)
}

class TooManyRows extends Error {
  constructor(maxRows: number) {
    super(`The query has more than ${maxRows} rows`)
  }
}

function failed(error: unknown): Reply {
  const message = error instanceof Error ? error.message : String(error)
  const [first = ''] = message.split('\n')
  if (error instanceof TooManyRows) return { kind: 'failed', reason: 'too-many-rows', message }
  if (/no space left|disk quota exceeded/i.test(message)) return { kind: 'failed', reason: 'disk-full', message: first }
  if (/^out of memory|bad_alloc/i.test(message)) return { kind: 'failed', reason: 'out-of-memory', message: first }
  return { kind: 'failed', reason: 'query', message: first }
}

function giveUpBeyondMemory(): void {
  if (process.memoryUsage.rss() < mostResidentBytes) return
  const message = `The query took more than ${Math.round(mostResidentBytes / 2 ** 20)} MiB of memory`
  process.send?.({ kind: 'failed', reason: 'out-of-memory', message } satisfies Reply, die)
}

/** Waits until the message has left, so that a slow reader slows the query instead of filling memory. */
async function send(reply: Reply): Promise<void> {
  await new Promise<void>((resolve) => process.send?.(reply, () => resolve()))
}

/** Not `process.exit`, which waits for DuckDB's threads. */
function die(): void {
  rmSync(tempDir, { recursive: true, force: true })
  process.kill(process.pid, 'SIGKILL')
}
