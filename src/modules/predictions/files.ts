import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sqlString } from '#platform/analytics/sql-text.ts'
import { platformFailure } from '#platform/errors.ts'
import type { Services } from '#platform/services.ts'
import type { FileRow } from './tables.ts'

/** Where the files of predictions and labels are; `StoredFile.path` is relative to it. */
export function filesDirectory(services: Pick<Services, 'config'>): string {
  return join(services.config.dataDir, 'predictions')
}

/** After a crash the file is there as a whole or not at all. `writer` tells apart those who write the same file at once. */
export async function writeDurably(path: string, text: string, writer: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const scratch = `${path}.${writer}.tmp`
  try {
    await using file = await open(scratch, 'w', 0o600)
    await file.writeFile(text)
    await file.datasync()
  } catch (error) {
    await rm(scratch, { force: true })
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
      throw platformFailure('disk_full', `No space is left in ${dirname(path)}`, { cause: error })
    }
    throw error
  }
  await rename(scratch, path)
  await sync(dirname(path))
}

/** Makes a file, or the names in a directory, survive a loss of power. */
export async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

const predictionColumns = {
  id: 'VARCHAR',
  row: 'INTEGER',
  at: 'TIMESTAMP',
  receivedAt: 'TIMESTAMP',
  environment: 'VARCHAR',
  endpoint: 'VARCHAR',
  release: 'VARCHAR',
  variant: 'VARCHAR',
  version: 'VARCHAR',
  generation: 'BIGINT',
  node: 'VARCHAR',
  status: 'VARCHAR',
  errorCode: 'VARCHAR',
  latencyUs: 'BIGINT',
  request: 'JSON',
  features: 'JSON',
  prediction: 'DOUBLE',
  traceId: 'VARCHAR',
}

const labelColumns = {
  environment: 'VARCHAR',
  endpoint: 'VARCHAR',
  id: 'VARCHAR',
  row: 'INTEGER',
  value: 'DOUBLE',
  at: 'TIMESTAMP',
  batch: 'VARCHAR',
}

/** One line of a file of labels. `batch` rises with every call, and settles which of two labels of one time is later. */
export interface LabelLine {
  environment: string
  endpoint: string
  id: string
  row: number
  value: number
  at: string
  batch: string
}

/** SQL for a relation with the columns of prediction records, over chunks and Parquet alike; there must be a file. */
export function predictionsFrom(directory: string, files: readonly FileRow[]): string {
  return relation(predictionColumns, directory, files)
}

/** The same for labels: the columns of `LabelLine`. */
export function labelsFrom(directory: string, files: readonly FileRow[]): string {
  return relation(labelColumns, directory, files)
}

function relation(columns: Record<string, string>, directory: string, files: readonly FileRow[]): string {
  const listed = (format: FileRow['format']) => {
    const paths = files.filter((file) => file.format === format).map((file) => sqlString(join(directory, file.path)))
    return paths.length === 0 ? undefined : `[${paths.join(', ')}]`
  }
  const names = Object.keys(columns).map((name) => `"${name}"`)
  const types = Object.entries(columns).map(([name, type]) => `"${name}": '${type}'`)
  const chunks = listed('ndjson')
  const parquet = listed('parquet')
  const parts = [
    chunks && `read_json(${chunks}, format = 'newline_delimited', columns = {${types.join(', ')}})`,
    parquet && `read_parquet(${parquet}, hive_partitioning = false)`,
  ]
  const selects = parts.filter((part) => part !== undefined).map((part) => `SELECT ${names.join(', ')} FROM ${part}`)
  return `(${selects.join(' UNION ALL ')})`
}

export interface RowFilter {
  environment: string
  endpoint: string
  version?: string | undefined
  from?: string | undefined
  to?: string | undefined
}

/** SQL conditions on prediction rows. */
export function conditions({ environment, endpoint, version, from, to }: RowFilter): string {
  const all = [`environment = ${sqlString(environment)}`, `endpoint = ${sqlString(endpoint)}`]
  if (version !== undefined) all.push(`version = ${sqlString(version)}`)
  if (from !== undefined) all.push(`"at" >= ${timestamp(from)}`)
  if (to !== undefined) all.push(`"at" < ${timestamp(to)}`)
  return all.join(' AND ')
}

/** A SQL literal in UTC, whatever the offset of the instant. */
export function timestamp(instant: string): string {
  return `TIMESTAMP ${sqlString(new Date(instant).toISOString())}`
}
