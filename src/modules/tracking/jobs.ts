import { sql } from 'kysely'
import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import { defineJob, type JobContext } from '#platform/job.ts'
import { defaultRetention } from './retention.ts'
import { loggedModelId } from './tables.ts'
import { expireRuns, purgeTrash, purgeTrashed, type TrashKind } from './trash-contract.ts'

interface Sum {
  experiments: number
  runs: number
  loggedModels: number
  rows: number
  files: number
  bytes: number
}

const nothing: Sum = { experiments: 0, runs: 0, loggedModels: 0, rows: 0, files: 0, bytes: 0 }
const counted = { experiment: 'experiments', run: 'runs', 'logged-model': 'loggedModels' } as const

/** Purges what it is given; whoever runs it again goes on where it ended. */
export const purgeTrashJob = defineJob({
  name: 'purge-trash',
  input: purgeTrash.input,
  retries: 5,
  timeoutMs: 6 * 3_600_000,
  concurrency: 1,
  async run(ctx, { experiments, runs, loggedModels }) {
    const sum = { ...nothing }
    for (const model of loggedModels) await purge(ctx, sum, 'logged-model', model)
    for (const run of runs) await purge(ctx, sum, 'run', run)
    for (const experiment of experiments) await purge(ctx, sum, 'experiment', experiment)
    return sum
  },
})

/** What retention says, every night: ended runs into the trash, and out of the trash what was there long enough. */
export const applyRetention = defineJob({
  name: 'apply-retention',
  input: z.object({}),
  retries: 2,
  timeoutMs: 6 * 3_600_000,
  concurrency: 1,
  cron: '27 2 * * *',
  async run(ctx) {
    let expired = 0
    for (const experiment of await expiringExperiments(ctx)) {
      for (let left = true; left; ) {
        ctx.signal.throwIfAborted()
        const page = await ctx.platform.run(expireRuns, { actor: systemActor(ctx.workspace), input: { experiment } })
        expired += page.runs
        left = page.left
      }
    }
    const sum = { ...nothing }
    for (const kind of ['logged-model', 'run', 'experiment'] as const) {
      for (let due = await dueOf(ctx, kind); due.length > 0; due = await dueOf(ctx, kind)) {
        for (const id of due) await purge(ctx, sum, kind, id)
      }
    }
    return { expired, purged: sum }
  },
})

async function purge(ctx: JobContext, sum: Sum, kind: TrashKind, id: string): Promise<void> {
  let rows = 0
  for (let left = true; left; ) {
    ctx.signal.throwIfAborted()
    const page = await ctx.platform.run(purgeTrashed, { actor: systemActor(ctx.workspace), input: { kind, id } })
    rows += page.rows
    sum.files += page.files
    sum.bytes += page.bytes
    left = page.left
  }
  sum.rows += rows
  if (rows > 0) sum[counted[kind]] += 1
}

/** Those whose time in the trash is over, or whose purge has begun. */
async function dueOf(ctx: JobContext, kind: TrashKind): Promise<string[]> {
  const table = sql.table(`tracking.${kind.replace('-', '_')}`)
  const experiment = sql.ref(kind === 'experiment' ? 'thing.id' : 'thing.experiment')
  const now = ctx.clock.iso()
  const { rows } = await ctx.read((db) =>
    sql<{ id: string }>`
      select thing.id::text as id from ${table} thing
      left join tracking.retention retention on retention.experiment = ${experiment}
      where thing.removed_at is not null and (thing.purging or
        thing.removed_at < ${now}::timestamptz - make_interval(days => coalesce(retention.trash_days, ${defaultRetention.trashDays})))
      order by thing.removed_at limit 500
    `.execute(db),
  )
  return rows.map(({ id }) => (kind === 'logged-model' ? loggedModelId(id) : id))
}

async function expiringExperiments(ctx: JobContext): Promise<string[]> {
  const { rows } = await ctx.read((db) =>
    sql<{ experiment: number }>`
      select experiment from tracking.retention where expire_days is not null order by experiment
    `.execute(db),
  )
  return rows.map(({ experiment }) => String(experiment))
}
