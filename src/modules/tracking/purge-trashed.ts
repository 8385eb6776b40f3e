import { type RawBuilder, sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import { releaseObjects } from '#platform/storage/objects/release-objects.ts'
import { uuidOfLoggedModel } from './tables.ts'
import * as contract from './trash-contract.ts'

/** What hangs on a run, by the column that names it; artifacts are told apart, because their bytes are released. */
const ofRun = [
  'metric_batch',
  'metric_chunk',
  'run_metric',
  'model_metric',
  'param',
  'run_tag',
  'run_dataset',
  'run_model',
]
const ofModel = ['model_metric', 'run_model']

/**
 * Removes at most so many rows, so that no transaction is long, however much a run has logged; what it is called is the
 * last to go. Whoever repeats it after a crash goes on where it ended.
 */
export const purgeTrashed = handle(contract.purgeTrashed, async (ctx, { kind, id, most }) => {
  const slice = sliceOf(ctx, most)
  ctx.entry.subject(kind, id)
  if (kind === 'experiment') await purgeExperiment(ctx, slice, Number(id))
  else if (kind === 'run') await purgeRun(ctx, slice, id)
  else await purgeModel(ctx, slice, uuidOfLoggedModel(id))
  const { rows, files, bytes } = slice.removed
  ctx.entry.facts({ rows, files, bytes })
  return { left: slice.left(), rows, files, bytes }
})

type Slice = ReturnType<typeof sliceOf>

function sliceOf(ctx: OperationContext, most: number) {
  const removed = { rows: 0, files: 0, bytes: 0 }
  let unfinished = false
  const room = () => most - removed.rows
  return {
    most,
    removed,
    left: () => unfinished,
    leave: () => {
      unfinished = true
    },
    /** True when nothing of it is left. */
    async rows(table: string, where: RawBuilder<boolean>): Promise<boolean> {
      if (unfinished) return false
      const name = sql.table(`tracking.${table}`)
      const { numAffectedRows } = await sql`
        delete from ${name} where ctid in (select ctid from ${name} where ${where} limit ${room()})
      `.execute(ctx.db)
      removed.rows += Number(numAffectedRows ?? 0)
      unfinished = room() <= 0
      return !unfinished
    },
    async artifacts(where: RawBuilder<boolean>): Promise<boolean> {
      if (unfinished) return false
      const { rows } = await sql<{ digest: string; size: number }>`
        delete from tracking.artifact
        where ctid in (select ctid from tracking.artifact where ${where} limit ${room()}) returning digest, size
      `.execute(ctx.db)
      await releaseObjects(ctx, rows)
      removed.rows += rows.length
      removed.files += rows.length
      removed.bytes += rows.reduce((sum, { size }) => sum + size, 0)
      unfinished = room() <= 0
      return !unfinished
    },
  }
}

/** Answers whether it is in the trash. The first look marks it, and removes nothing: writers under way end before the next. */
async function begin(ctx: OperationContext, slice: Slice, table: string, id: string | number): Promise<boolean> {
  const { rows } = await sql<{ purging: boolean }>`
    select purging from ${sql.table(`tracking.${table}`)} where id = ${id} and removed_at is not null for update
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) return false
  if (row.purging) return true
  await sql`update ${sql.table(`tracking.${table}`)} set purging = true where id = ${id}`.execute(ctx.db)
  slice.leave()
  return true
}

async function purgeRun(ctx: OperationContext, slice: Slice, run: string): Promise<void> {
  if (!(await begin(ctx, slice, 'run', run)) || slice.left()) return
  for (const model of await modelsOf(ctx, run)) {
    await purgeModelRows(slice, model)
    if (slice.left()) return
  }
  for (const table of ofRun) if (!(await slice.rows(table, sql`run = ${run}`))) return
  if (!(await slice.artifacts(sql`run = ${run}`))) return
  // A model that another run read outlives the one that made it.
  await sql`update tracking.logged_model set run = null where run = ${run}`.execute(ctx.db)
  await slice.rows('run', sql`id = ${run}`)
}

/** Those that go with the run: nobody else's input. */
async function modelsOf(ctx: OperationContext, run: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from tracking.logged_model model
    where run = ${run} and (removed_at is not null or not exists (
      select from tracking.run_model use join tracking.run reader on reader.id = use.run
      where use.logged_model = model.id and use.direction = 'input' and use.run <> ${run} and reader.removed_at is null))
    order by id
  `.execute(ctx.db)
  return rows.map(({ id }) => id)
}

async function purgeModel(ctx: OperationContext, slice: Slice, model: string): Promise<void> {
  if (!(await begin(ctx, slice, 'logged_model', model)) || slice.left()) return
  await purgeModelRows(slice, model)
}

async function purgeModelRows(slice: Slice, model: string): Promise<void> {
  for (const table of ofModel) if (!(await slice.rows(table, sql`logged_model = ${model}`))) return
  if (!(await slice.artifacts(sql`logged_model = ${model}`))) return
  await slice.rows('logged_model', sql`id = ${model}`)
}

/** Its runs first, each as if it were purged by itself; and then what none of them made. */
async function purgeExperiment(ctx: OperationContext, slice: Slice, experiment: number): Promise<void> {
  if (!(await begin(ctx, slice, 'experiment', experiment)) || slice.left()) return
  const deleted = await sql`
    update tracking.run set state = 'deleted', removed_at = coalesce(removed_at, ${ctx.clock.iso()}), purging = true
    where ctid in (select ctid from tracking.run where experiment = ${experiment} and not purging limit ${slice.most})
  `.execute(ctx.db)
  if (Number(deleted.numAffectedRows ?? 0) > 0) return slice.leave()
  const runs = await sql<{ id: string }>`
    select id from tracking.run where experiment = ${experiment} order by id limit 100
  `.execute(ctx.db)
  for (const { id } of runs.rows) {
    await purgeRun(ctx, slice, id)
    if (slice.left()) return
  }
  if (runs.rows.length === 100) return slice.leave()
  const models = await sql<{ id: string }>`
    select id from tracking.logged_model where experiment = ${experiment} order by id limit 100
  `.execute(ctx.db)
  for (const { id } of models.rows) {
    await purgeModelRows(slice, id)
    if (slice.left()) return
  }
  if (models.rows.length === 100) return slice.leave()
  await sql`delete from tracking.retention where experiment = ${experiment}`.execute(ctx.db)
  await sql`
    insert into tracking.purged_experiment (workspace, id) values (${ctx.workspace}, ${experiment}) on conflict do nothing
  `.execute(ctx.db)
  await slice.rows('experiment', sql`id = ${experiment}`)
}
