import { sql } from 'kysely'
import pg from 'pg'
import { fromKysely, type Job, PgBoss } from 'pg-boss'
import { type Actor, systemActor } from './actor.ts'
import { PaveError, platformFailure } from './errors.ts'
import type { JobContext, JobDefinition, Jobs, Platform } from './platform.ts'

interface Ticket {
  workspace: string
  id: string
}

/** Jobs that this process is running now, so that a cancel reaches them at once. */
type Running = Map<string, AbortController>

/**
 * The queue is pg-boss's; what people see of a job is `platform.job`, and a queue entry is only a reference to it.
 * `adoptOrphans`: this process is the only worker, so whatever is marked as running was orphaned by a crash.
 */
export async function startJobs(
  platform: Platform,
  options: {
    url: string
    definitions: readonly JobDefinition[]
    adoptOrphans: boolean
    workspaces: () => Promise<string[]>
  },
): Promise<Jobs> {
  const boss = new PgBoss({
    connectionString: options.url,
    options: '-c role=pave_jobs',
    schema: 'jobs',
    max: 4,
    application_name: 'pave jobs',
  })
  boss.on('error', (error) => platform.log.warn({ err: error }, 'the job queue lost its database for a moment'))
  boss.on('warning', (warning) => platform.log.debug({ warning }, 'the job queue warns'))
  await boss.start()
  await grantSending(options.url)
  const running: Running = new Map()
  const workers = new Map<string, string>()
  for (const definition of options.definitions) {
    await boss.createQueue(definition.name, {
      retryLimit: definition.retries,
      retryDelay: 1,
      retryBackoff: true,
      expireInSeconds: Math.ceil(definition.timeoutMs / 1000) + 60,
      heartbeatSeconds: 30,
    })
    if (definition.cron !== undefined) await boss.schedule(definition.name, definition.cron, null, { tz: 'UTC' })
  }
  if (options.adoptOrphans) await requeueOrphans(platform, options.url)
  for (const definition of options.definitions) {
    const worker = await boss.work<Ticket | null>(
      definition.name,
      { pollingIntervalSeconds: 0.5, localConcurrency: definition.concurrency ?? 2, batchSize: 1 },
      async ([ticket]: Job<Ticket | null>[]) => {
        if (ticket === undefined) return
        if (ticket.data === null) await startEverywhere(platform, definition, await options.workspaces())
        else await runJob(platform, definition, ticket, ticket.data, running)
      },
    )
    workers.set(definition.name, worker)
  }
  const wake = (job: string) => {
    const worker = workers.get(job)
    if (worker !== undefined) boss.notifyWorker(worker)
  }
  const jobs: Jobs = {
    async start(db, { job, input, actor }, after) {
      const definition = options.definitions.find((one) => one.name === job)
      if (definition === undefined) throw new TypeError(`No job is declared as ${job}`)
      definition.input.parse(input)
      const id = platform.ids.next()
      await sql`
        insert into platform.job (workspace, id, job, input, actor, state, created_at)
        values (${actor.workspace}, ${id}, ${job}, ${JSON.stringify(input)}::jsonb, ${JSON.stringify(actor)}::jsonb,
                'queued', ${platform.clock.iso()})
      `.execute(db)
      await boss.send(job, { workspace: actor.workspace, id } satisfies Ticket, { db: fromKysely(db) })
      after.push(() => wake(job))
      return id
    },
    async cancel(db, id, after) {
      const { rows } = await sql<{ state: string }>`
        update platform.job
        set cancel_requested = true,
            state = case when state = 'queued' then 'cancelled' else state end,
            ended_at = case when state = 'queued' then ${platform.clock.iso()}::timestamptz else ended_at end
        where id = ${id} returning state
      `.execute(db)
      if (rows[0] === undefined) throw platformFailure('job_not_found', `No job has the id ${id}`)
      after.push(() => running.get(id)?.abort(new PaveError('job_cancelled', 'The job was cancelled', cancelled)))
    },
    async retry(db, id, after) {
      const { rows } = await sql<{ job: string; workspace: string }>`
        update platform.job
        set state = 'queued', error = null, ended_at = null, cancel_requested = false
        where id = ${id} and state in ('failed', 'cancelled') returning job, workspace
      `.execute(db)
      const row = rows[0]
      if (row === undefined) throw platformFailure('job_not_found', `No failed or cancelled job has the id ${id}`)
      await boss.send(row.job, { workspace: row.workspace, id } satisfies Ticket, { db: fromKysely(db) })
      after.push(() => wake(row.job))
    },
    async stop() {
      for (const controller of running.values())
        controller.abort(new PaveError('shutting_down', 'Pave is stopping', shuttingDown))
      await boss.stop({ graceful: true, timeout: 5_000 })
    },
  }
  return jobs
}

const cancelled = { status: 409, hint: 'Start it again if it is still wanted.' }
const shuttingDown = { status: 503, hint: 'The job goes on when Pave is up again.' }

async function startEverywhere(platform: Platform, definition: JobDefinition, workspaces: string[]): Promise<void> {
  for (const workspace of workspaces) {
    const after: Array<() => void> = []
    await platform.transaction(workspace, (db) =>
      platform.jobs.start(db, { job: definition.name, input: {}, actor: systemActor(workspace) }, after),
    )
    for (const action of after) action()
  }
}

async function runJob(
  platform: Platform,
  definition: JobDefinition,
  ticket: Job<Ticket | null>,
  { workspace, id }: Ticket,
  running: Running,
): Promise<void> {
  const claimed = await claim(platform, workspace, id)
  if (claimed === undefined) return
  const controller = new AbortController()
  running.set(id, controller)
  const timer = setTimeout(
    () =>
      controller.abort(
        new PaveError('job_timed_out', `${definition.name} took longer than ${definition.timeoutMs} ms`, {
          status: 504,
          hint: 'Retry it, or give the step a longer time-out.',
        }),
      ),
    definition.timeoutMs,
  )
  const signal = AbortSignal.any([controller.signal, ticket.signal])
  const ctx: JobContext = {
    platform,
    services: platform.services,
    workspace,
    actor: claimed.actor,
    jobId: id,
    attempt: claimed.attempt,
    clock: platform.clock,
    ids: platform.ids,
    log: platform.log.child({ job: definition.name, jobId: id }),
    signal,
    run: (step, operation, input) =>
      platform.run(operation, { actor: claimed.actor, input, idempotencyKey: `job:${id}:${step}` }),
    read: (question) => platform.read(workspace, question),
    progress: async (fraction, text) => {
      await platform.transaction(workspace, (db) =>
        sql`update platform.job set progress = ${fraction}, progress_text = ${text} where id = ${id}`.execute(db),
      )
      platform.events.emit({ workspace, type: 'job', data: { id, job: definition.name, progress: fraction, text } })
    },
  }
  try {
    const result = await definition.run(ctx, definition.input.parse(claimed.input))
    await finish(platform, workspace, id, 'done', result ?? null, null)
  } catch (error) {
    const reason = signal.aborted && signal.reason instanceof PaveError ? signal.reason : error
    const code = reason instanceof PaveError ? reason.code : 'internal'
    if (code === 'shutting_down') {
      await finish(platform, workspace, id, 'queued', null, null)
      throw reason
    }
    const last = ticket.retryCount >= definition.retries || (reason instanceof PaveError && reason.status < 500)
    const problem = {
      code,
      message: reason instanceof Error ? reason.message : String(reason),
      hint: reason instanceof PaveError ? reason.hint : '',
    }
    if (code === 'internal') ctx.log.error({ err: reason }, 'a job broke')
    await finish(
      platform,
      workspace,
      id,
      code === 'job_cancelled' ? 'cancelled' : last ? 'failed' : 'queued',
      null,
      problem,
    )
    if (!last) throw reason
  } finally {
    clearTimeout(timer)
    running.delete(id)
  }
}

async function claim(platform: Platform, workspace: string, id: string) {
  const { rows } = await platform.transaction(workspace, (db) =>
    sql<{ input: unknown; actor: Actor; attempt: number }>`
      update platform.job
      set state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, ${platform.clock.iso()})
      where id = ${id} and state in ('queued', 'running') and not cancel_requested
      returning input, actor, attempt
    `.execute(db),
  )
  return rows[0]
}

async function finish(
  platform: Platform,
  workspace: string,
  id: string,
  state: 'done' | 'failed' | 'cancelled' | 'queued',
  result: unknown,
  error: unknown,
): Promise<void> {
  const ended = state === 'queued' ? null : platform.clock.iso()
  await platform.transaction(workspace, (db) =>
    sql`
      update platform.job
      set state = ${state}, result = ${JSON.stringify(result)}::jsonb, error = ${error === null ? null : JSON.stringify(error)}::jsonb,
          ended_at = ${ended}, progress = case when ${state} = 'done' then 1 else progress end
      where id = ${id}
    `.execute(db),
  )
  platform.events.emit({ workspace, type: 'job', data: { id, state } })
}

/** The app role may send, in its own transaction, and nothing else; pg-boss owns its schema. */
async function grantSending(url: string): Promise<void> {
  await asJobsRole(
    url,
    `grant usage on schema jobs to pave_app;
     grant select on all tables in schema jobs to pave_app;
     grant insert on all tables in schema jobs to pave_app;
     grant execute on all functions in schema jobs to pave_app`,
  )
}

/** The sole worker has just started: what its predecessor left active goes back into the queue at once. */
async function requeueOrphans(platform: Platform, url: string): Promise<void> {
  const { rowCount } = await asJobsRole(
    url,
    `update jobs.job set state = 'retry', start_after = now(), retry_limit = retry_limit + 1 where state = 'active'`,
  )
  if (rowCount) platform.log.info({ jobs: rowCount }, 'adopted the jobs that a crash left running')
}

async function asJobsRole(url: string, text: string) {
  const client = new pg.Client({ connectionString: url, options: '-c role=pave_jobs' })
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}
