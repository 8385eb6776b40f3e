import { sql } from 'kysely'
import { z } from 'zod'
import { defineJob } from '../job.ts'

const keptDays = 30

/** Idempotent answers are for retries; a month later nobody retries, and they would be the largest table. */
export const sweepAnswers = defineJob({
  name: 'sweep-answers',
  input: z.object({}),
  retries: 1,
  timeoutMs: 600_000,
  concurrency: 1,
  cron: '17 3 * * *',
  async run({ platform, workspace, clock }) {
    const before = new Date(clock.now() - keptDays * 86_400_000).toISOString()
    const { rows } = await platform.transaction(workspace, (db) =>
      sql`delete from platform.idempotent_answer where created_at < ${before} returning 1 as swept`.execute(db),
    )
    return { swept: rows.length }
  },
})
