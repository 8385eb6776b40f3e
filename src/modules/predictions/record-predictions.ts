import { join } from 'node:path'
import { sql } from 'kysely'
import { resolveVersion } from '#modules/registry/queries.ts'
import { speaksForNode } from '#platform/actor.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import { PaveError, platformFailure } from '#platform/errors.ts'
import { digestOf } from '#platform/ids.ts'
import type { Db } from '#platform/storage/database/database.ts'
import * as contract from './contract.ts'
import { filesDirectory, writeDurably } from './files.ts'
import { readChunk } from './read-chunk.ts'
import { insertFiles, predictionsFailure } from './tables.ts'
import { type Edges, type HourStatistics, mergeStatistics, type Statistics, summarise } from './window-statistics.ts'

/** So many chunks are read as quickly as one file; beyond, they are compacted before the next cron. */
const manyChunks = 200

/** Durable when it answers: the file is on disk before the transaction that enters it commits. */
export const recordPredictions = handle(contract.recordPredictions, async (ctx, input) => {
  const { node, chunk, digest, lines } = input
  if (!speaksForNode(ctx.actor, node)) {
    throw platformFailure('permission_denied', `${ctx.actor.name} may not send records of the node ${node}`)
  }
  const known = await rowsOfChunk(ctx.db, node, chunk, digest)
  if (known !== undefined) return { node, chunk, rows: known, duplicate: true }
  if (digestOf(lines) !== digest) {
    throw predictionsFailure('chunk_damaged', `The bytes of chunk ${chunk} of ${node} are not those of ${digest}`)
  }
  const records = readChunk(lines, ctx.workspace)
  requireOwn(ctx, input, records)
  const edges = await edgesByVersion(ctx.db, records)
  const hours = summarise(records, (version) => edges.get(version) ?? noEdges)
  const path = join(ctx.workspace, node, `${chunk}.${digest.slice(-16)}.ndjson`)
  await writeDurably(join(filesDirectory(ctx.services), path), lines, ctx.operationId)

  // One chunk of a workspace at a time, so that merging needs no retries.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`predictions ${ctx.workspace}`}, 0))`.execute(ctx.db)
  const meanwhile = await rowsOfChunk(ctx.db, node, chunk, digest)
  if (meanwhile !== undefined) return { node, chunk, rows: meanwhile, duplicate: true }
  await sql`
    insert into predictions.chunk (workspace, node, chunk, digest, rows, recorded_at)
    values (${ctx.workspace}, ${node}, ${chunk}, ${digest}, ${records.length}, ${ctx.clock.iso()})
  `.execute(ctx.db)
  await mergeHours(ctx, hours)
  const endpoints = endpointsOf(records)
  await raiseWatermarks(ctx, endpoints)
  await enterFile(ctx, path, records, endpoints)
  for (const { environment, endpoint } of endpoints) ctx.entry.subject('endpoint', `${environment}/${endpoint}`)
  ctx.entry.facts({ node, chunk, digest, rows: records.length, endpoints })
  return { node, chunk, rows: records.length, duplicate: false }
})

/** Who may speak for one node in one environment may not slip in what another answered. */
function requireOwn(
  { actor }: OperationContext,
  { node, environment }: { node: string; environment?: string | undefined },
  records: readonly contract.PredictionRecord[],
): void {
  const strange = records.find(
    (record) =>
      (environment !== undefined && record.environment !== environment) ||
      (actor.kind !== 'system' && record.node !== node),
  )
  if (strange === undefined) return
  const of = `${strange.node} in ${strange.environment}`
  throw predictionsFailure('prediction_record_invalid', `A record of ${of} is among those of ${node} in ${environment}`)
}

async function rowsOfChunk(db: Db, node: string, chunk: string, digest: string): Promise<number | undefined> {
  const { rows } = await sql<{ rows: number; digest: string }>`
    select rows, digest from predictions.chunk where node = ${node} and chunk = ${chunk}
  `.execute(db)
  const known = rows[0]
  if (known !== undefined && known.digest !== digest) {
    throw predictionsFailure('chunk_conflict', `${node} sent chunk ${chunk} before with other bytes`)
  }
  return known?.rows
}

/** Twenty equal bins of a probability, where the version brings no profile of its predictions. */
const unitBins = Array.from({ length: 19 }, (_, i) => (i + 1) / 20)
const noEdges: Edges = { features: new Map(), prediction: unitBins }

async function edgesByVersion(db: Db, records: readonly contract.PredictionRecord[]): Promise<Map<string, Edges>> {
  const edges = new Map<string, Edges>()
  for (const version of new Set(records.map((record) => record.version))) edges.set(version, await edgesOf(db, version))
  return edges
}

async function edgesOf(db: Db, ref: string): Promise<Edges> {
  try {
    const { profile, predictionProfile } = await resolveVersion(db, ref)
    return {
      features: new Map(profile.map(({ name, edges }) => [name, edges])),
      prediction: predictionProfile?.edges ?? unitBins,
    }
  } catch (error) {
    // What was answered is recorded, whoever may have answered it.
    if (error instanceof PaveError && error.code === 'version_not_found') return noEdges
    throw error
  }
}

async function mergeHours(ctx: OperationContext, hours: readonly HourStatistics[]): Promise<void> {
  const keys = JSON.stringify(hours.map(({ statistics: _, ...key }) => key))
  const { rows } = await sql<{ ix: number; statistics: Statistics }>`
    select k.ix::int as ix, w.statistics
    from jsonb_array_elements(${keys}::jsonb) with ordinality k (key, ix)
    join predictions.window_statistic w
      on w.environment = k.key ->> 'environment' and w.endpoint = k.key ->> 'endpoint'
     and w.hour = (k.key ->> 'hour')::timestamptz
     and w.version = k.key ->> 'version' and w.variant = k.key ->> 'variant'
  `.execute(ctx.db)
  const before = new Map(rows.map(({ ix, statistics }) => [ix - 1, statistics]))
  const merged = hours.map((hour, index) => {
    const known = before.get(index)
    return known === undefined ? hour : { ...hour, statistics: mergeStatistics(known, hour.statistics) }
  })
  await sql`
    insert into predictions.window_statistic (workspace, environment, endpoint, hour, version, variant, statistics)
    select ${ctx.workspace}::uuid, environment, endpoint, hour, version, variant, statistics
    from jsonb_to_recordset(${JSON.stringify(merged)}::jsonb)
      as h (environment text, endpoint text, hour timestamptz, version text, variant text, statistics jsonb)
    on conflict (workspace, environment, endpoint, hour, version, variant) do update set statistics = excluded.statistics
  `.execute(ctx.db)
}

interface SeenEndpoint {
  environment: string
  endpoint: string
  rows: number
  /** Newest event time in the chunk. */
  maxAt: string
}

function endpointsOf(records: readonly contract.PredictionRecord[]): SeenEndpoint[] {
  const seen = new Map<string, SeenEndpoint>()
  for (const { environment, endpoint, at, receivedAt } of records) {
    // A client's clock that runs ahead must not carry the watermark past the present.
    const known = Date.parse(at) < Date.parse(receivedAt) ? at : receivedAt
    const key = `${environment}/${endpoint}`
    const before = seen.get(key)
    const maxAt = before !== undefined && Date.parse(before.maxAt) > Date.parse(known) ? before.maxAt : known
    seen.set(key, { environment, endpoint, rows: (before?.rows ?? 0) + 1, maxAt })
  }
  return [...seen.values()]
}

async function raiseWatermarks(ctx: OperationContext, endpoints: readonly SeenEndpoint[]): Promise<void> {
  for (const { environment, endpoint, maxAt } of endpoints) {
    await sql`
      insert into predictions.watermark as w (workspace, environment, endpoint, at)
      values (${ctx.workspace}, ${environment}, ${endpoint}, ${maxAt})
      on conflict (workspace, environment, endpoint) do update set at = greatest(w.at, excluded.at)
    `.execute(ctx.db)
  }
}

async function enterFile(
  ctx: OperationContext,
  path: string,
  records: readonly contract.PredictionRecord[],
  endpoints: readonly SeenEndpoint[],
): Promise<void> {
  if (records.length === 0) return
  const times = records.map((record) => Date.parse(record.at))
  const isoOf = (time: number) => new Date(time).toISOString()
  const file: contract.StoredFile = {
    kind: 'prediction',
    format: 'ndjson',
    path,
    endpoints: endpoints.map(({ environment, endpoint }) => `${environment}/${endpoint}`),
    rows: records.length,
    firstAt: isoOf(times.reduce((a, b) => Math.min(a, b))),
    lastAt: isoOf(times.reduce((a, b) => Math.max(a, b))),
  }
  await insertFiles(ctx.db, ctx.workspace, [{ ...file, id: ctx.operationId }], ctx.clock.iso())
  const { rows } = await sql<{ chunks: number }>`
    select count(*) as chunks from predictions.file
    where kind = 'prediction' and format = 'ndjson' and retired_at is null
  `.execute(ctx.db)
  if ((rows[0]?.chunks ?? 0) % manyChunks === 0) await ctx.callAsSystem(contract.compactPredictions, {})
}
