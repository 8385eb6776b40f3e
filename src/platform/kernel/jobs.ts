import { sql } from 'kysely'
import { handle, type OperationContext } from '../context.ts'
import { platformFailure } from '../errors.ts'
import { decodeCursor, pageFrom } from '../names.ts'
import * as contract from './contract.ts'

interface JobRow {
  id: string
  job: string
  state: contract.Job['state']
  attempt: number
  progress: number
  progress_text: string
  input: unknown
  result: unknown
  error: contract.Job['error']
  created_at: string
  started_at: string | null
  ended_at: string | null
}

const columns = sql`id, job, state, attempt, progress, progress_text, input, result, error, created_at, started_at, ended_at`

function jobOf(row: JobRow): contract.Job {
  return {
    id: row.id,
    job: row.job,
    state: row.state,
    attempt: row.attempt,
    progress: row.progress,
    progressText: row.progress_text,
    input: row.input,
    result: row.result,
    error: row.error,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }
}

async function readJob(ctx: OperationContext, id: string): Promise<contract.Job> {
  const { rows } = await sql<JobRow>`select ${columns} from platform.job where id = ${id}`.execute(ctx.db)
  if (rows[0] === undefined) throw platformFailure('job_not_found', `No job has the id ${id}`)
  return jobOf(rows[0])
}

const lookAgainMs = 100

/** Waiting is a courtesy to clients without server-sent events: it ends early, never late. */
export const getJob = handle(contract.getJob, async (ctx, { job: id, wait }) => {
  const until = ctx.clock.now() + wait * 1000
  let job = await readJob(ctx, id)
  while ((job.state === 'queued' || job.state === 'running') && ctx.clock.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
    job = await readJob(ctx, id)
  }
  return job
})

export const listJobs = handle(contract.listJobs, async (ctx, { limit, cursor, state, job }) => {
  const [at, id] = decodeCursor(cursor, 2) ?? ['infinity', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
  const { rows } = await sql<JobRow>`
    select ${columns} from platform.job
    where (created_at, id) < (${at}::timestamptz, ${id}::uuid)
      and (${state ?? null}::text is null or state = ${state ?? null})
      and (${job ?? null}::text is null or job = ${job ?? null})
    order by created_at desc, id desc limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, jobOf, (row) => [row.created_at, row.id])
})

export const cancelJob = handle(contract.cancelJob, async (ctx, { job }) => {
  await ctx.cancelJob(job)
  ctx.entry.subject('job', job)
  return { job }
})

export const retryJob = handle(contract.retryJob, async (ctx, { job }) => {
  await ctx.retryJob(job)
  ctx.entry.subject('job', job)
  return { job }
})
