import { sql } from 'kysely'
import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import { defineJob, type JobContext } from '#platform/job.ts'
import { finishRun, type RunError } from './contract.ts'

interface Abandoned {
  id: string
  job_state: 'failed' | 'cancelled'
  error: { code: string; message: string; hint: string } | null
}

/** Ends runs whose job ended without them, and the attempts that ended runs left behind. */
export const sweepJob = defineJob({
  name: 'sweep-runs',
  input: z.object({}),
  retries: 0,
  timeoutMs: 300_000,
  concurrency: 1,
  cron: '*/5 * * * *',
  async run(ctx) {
    const { rows } = await ctx.read((db) =>
      sql<Abandoned>`
        select r.id, j.state as job_state, j.error from pipelines.run r
        join platform.job j on j.workspace = r.workspace and j.id = r.job
        where r.state in ('queued', 'running') and j.state in ('failed', 'cancelled')
      `.execute(db),
    )
    for (const { id, job_state, error } of rows) {
      const known: RunError | null = error && { ...error, step: null, exitCode: null, log: [] }
      await ctx.platform.run(finishRun, {
        actor: systemActor(ctx.workspace),
        input: { run: id, state: job_state, error: job_state === 'failed' ? known : null },
      })
    }
    const attempts = (await ctx.services.compute.list()).map(({ attemptId }) => attemptId)
    const over = await endedRuns(ctx, attempts.flatMap(runOfAttempt))
    const left = attempts.filter((attempt) => runOfAttempt(attempt).some((run) => over.has(run)))
    for (const attempt of left) await ctx.services.compute.discard(attempt)
    return { ended: rows.length, discarded: left.length }
  },
})

/** A run that ended just now may still be clearing up after itself. */
const quietMs = 60_000

async function endedRuns(ctx: JobContext, runs: string[]): Promise<Set<string>> {
  const before = new Date(ctx.clock.now() - quietMs).toISOString()
  const { rows } = await ctx.read((db) =>
    sql<{ id: string }>`
      select id from pipelines.run where id = any(${[...new Set(runs)]}::uuid[]) and ended_at < ${before}
    `.execute(db),
  )
  return new Set(rows.map(({ id }) => id))
}

function runOfAttempt(attemptId: string): string[] {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=-)/.exec(attemptId)?.slice(0, 1) ?? []
}
