import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { sql } from 'kysely'
import { z } from 'zod'
import { sqlString } from '#platform/analytics/sql-text.ts'
import { defineJob, type JobContext } from '#platform/job.ts'
import { replacePredictionFiles, type StoredFile } from './contract.ts'
import { filesDirectory, labelsFrom, predictionsFrom, sync } from './files.ts'
import type { FileRow } from './tables.ts'

/** Longer than any reader that listed a file before it was retired. */
const graceMs = 120_000

/**
 * Chunks → Parquet by endpoint and day of event time. New files are whole and on disk before one transaction swaps them
 * for the chunks; what a crash leaves is a directory that no row names, which the next attempt removes.
 */
export const compactionJob = defineJob({
  name: 'compact-predictions',
  input: z.object({}),
  retries: 3,
  timeoutMs: 600_000,
  concurrency: 1,
  cron: '*/10 * * * *',
  async run(ctx) {
    const root = filesDirectory(ctx.services)
    const directory = join(root, ctx.workspace, 'compacted')
    const retired = await retiredFiles(ctx)
    for (const { path } of retired) await rm(join(root, path), { force: true })
    for (let attempt = 1; attempt < ctx.attempt; attempt++)
      await removeUnnamed(ctx, join(directory, nameOf(ctx, attempt)))
    const target = join(directory, nameOf(ctx, ctx.attempt))
    const chunks = {
      prediction: await openChunks(ctx, 'prediction'),
      label: await openChunks(ctx, 'label'),
    }
    const add = [
      ...(await compact(ctx, 'prediction', predictionsFrom(root, chunks.prediction), chunks.prediction, target)),
      ...(await compact(ctx, 'label', labelsFrom(root, chunks.label), chunks.label, target)),
    ]
    const retire = [...chunks.prediction, ...chunks.label].map((file) => file.id)
    const forget = retired.map((file) => file.id)
    if (retire.length + forget.length > 0) {
      await ctx.run(`replace ${ctx.attempt}`, replacePredictionFiles, { retire, add, forget })
    }
    return { chunks: retire.length, files: add.length, rows: add.reduce((sum, file) => sum + file.rows, 0) }
  },
})

const nameOf = (ctx: JobContext, attempt: number) => `${ctx.jobId}-${attempt}`

async function openChunks(ctx: JobContext, kind: StoredFile['kind']): Promise<FileRow[]> {
  return ctx.read(async (db) => {
    const { rows } = await sql<FileRow>`
      select id, format, path from predictions.file
      where kind = ${kind} and format = 'ndjson' and retired_at is null order by recorded_at limit 10000
    `.execute(db)
    return rows
  })
}

async function retiredFiles(ctx: JobContext): Promise<FileRow[]> {
  const before = new Date(ctx.clock.now() - graceMs).toISOString()
  return ctx.read(async (db) => {
    const { rows } = await sql<FileRow>`
      select id, format, path from predictions.file where retired_at < ${before} limit 10000
    `.execute(db)
    return rows
  })
}

/** An earlier attempt may have swapped its files in and died before it could say so. */
async function removeUnnamed(ctx: JobContext, directory: string): Promise<void> {
  const prefix = relative(filesDirectory(ctx.services), directory)
  const named = await ctx.read(async (db) => {
    const { rows } = await sql`select 1 from predictions.file where starts_with(path, ${`${prefix}/`}) limit 1`.execute(
      db,
    )
    return rows.length > 0
  })
  if (!named) await rm(directory, { recursive: true, force: true })
}

const Written = z.object({
  filename: z.string(),
  environment: z.string(),
  endpoint: z.string(),
  rows: z.number(),
  first_at: z.string(),
  last_at: z.string(),
})

async function compact(
  ctx: JobContext,
  kind: StoredFile['kind'],
  source: string,
  chunks: readonly FileRow[],
  target: string,
): Promise<StoredFile[]> {
  if (chunks.length === 0) return []
  const directory = join(target, kind)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await ctx.services.analytics.run(
    `COPY (SELECT *, strftime("at", '%Y-%m-%d') AS "day" FROM ${source} ORDER BY environment, endpoint, "at", id)
     TO ${sqlString(directory)}
     (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (environment, endpoint, "day"), WRITE_PARTITION_COLUMNS true)`,
    [],
    { signal: ctx.signal },
  )
  await syncTree(directory)
  const { rows } = await ctx.services.analytics.query(
    `SELECT filename, environment, endpoint, count(*) AS rows, min("at") AS first_at, max("at") AS last_at
     FROM read_parquet(${sqlString(join(directory, '**', '*.parquet'))}, filename = true, hive_partitioning = false)
     GROUP BY ALL ORDER BY filename`,
    [],
    { signal: ctx.signal, maxRows: 100_000 },
  )
  return rows.map((row) => {
    const { filename, environment, endpoint, ...written } = Written.parse(row)
    return {
      kind,
      format: 'parquet',
      path: relative(filesDirectory(ctx.services), filename),
      endpoints: [`${environment}/${endpoint}`],
      rows: written.rows,
      firstAt: written.first_at,
      lastAt: written.last_at,
    }
  })
}

/** Every file and directory below, then the directory itself. */
async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else await sync(path)
  }
  await sync(directory)
}
