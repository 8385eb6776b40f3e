import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import pino from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '#platform/config.ts'
import { startControlPlane } from '#platform/control-plane.ts'
import { createIds } from '#platform/ids.ts'
import { defineJob } from '#platform/job.ts'
import { defineModule } from '#platform/module.ts'
import { createTestDatabase } from '#testing/postgres.ts'
import { eventually } from '../support/wait.ts'

const everyMinute = defineJob({
  name: 'every-minute',
  input: z.object({}),
  retries: 0,
  timeoutMs: 10_000,
  cron: '* * * * *',
  run: async () => ({}),
})

test('among several workers, cron starts a job once for each workspace', { timeout: 240_000 }, async () => {
  const database = await createTestDatabase()
  const dataDir = await mkdtemp(join(tmpdir(), 'pave-cron-'))
  const ids = createIds(Date.now)
  const workspaces = [ids.next(), ids.next()]
  const start = () =>
    startControlPlane({
      config: { ...loadConfig({}), dataDir },
      databaseUrl: database.url,
      modules: [defineModule({ name: 'cron', handlers: [], jobs: [everyMinute] })],
      log: pino({ level: 'silent' }),
      alone: false,
      workspaces: async () => workspaces,
    })
  const workers = await Promise.all([start(), start(), start()])
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await database.drop()
    await rm(dataDir, { recursive: true, force: true })
  })
  // The second minute shows that the first is over.
  const started = await eventually(async () => {
    const { rows } = await sql<{ minute: string; jobs: number; workspaces: number }>`
      select date_trunc('minute', created_at) as minute, count(*) as jobs, count(distinct workspace) as workspaces
      from platform.job where job = ${everyMinute.name} group by 1 order by 1
    `.execute(workers[0].platform.system)
    return rows.length > 1 && rows
  }, 1_000)
  expect(started[0]).toMatchObject({ jobs: 2, workspaces: 2 })
})
