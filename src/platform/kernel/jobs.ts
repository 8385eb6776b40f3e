import { sql } from 'kysely'
import { handle } from '../context.ts'
import { platformFailure } from '../errors.ts'
import { decodeCursor, pageFrom } from '../names.ts'
import type { Db } from '../storage/database/database.ts'
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

async function readJob(db: Db, id: string): Promise<contract.Job> {
  const { rows } = await sql<JobRow>`select ${columns} from platform.job where id = ${id}`.execute(db)
  if (rows[0] === undefined) throw platformFailure('job_not_found', `No job has the id ${id}`)
  return jobOf(rows[0])
}

/** How soon the end of a job is seen that another process ran. */
const lookAgainMs = 250

/** A courtesy to clients without server-sent events. */
export const getJob = handle(contract.getJob, (ctx, { job }) => readJob(ctx.db, job), {
  async wait(platform, { workspace }, { job: id, wait }) {
    const until = platform.clock.now() + wait * 1000
    let wake = () => {}
    const stopFollowing = platform.events.follow(workspace, ({ type, data }) => {
      if (type === 'job' && data.id === id) wake()
    })
    try {
      for (let left = wait * 1000; left > 0; left = until - platform.clock.now()) {
        const { state } = await platform.read(workspace, (db) => readJob(db, id))
        if (state !== 'queued' && state !== 'running') return
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(left, lookAgainMs))
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    } finally {
      stopFollowing()
    }
  },
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
