import { sql } from 'kysely'
import pg from 'pg'
import { fromKysely, type Job, PgBoss } from 'pg-boss'
import { type Actor, systemActor } from './actor.ts'
import { PaveError, platformFailure } from './errors.ts'
import type { JobContext, JobDefinition, Jobs, Platform } from './platform.ts'
import { type Db, sessionOf } from './storage/database/database.ts'
import { announce } from './storage/database/listen.ts'

interface Ticket {
  workspace: string
  id: string
}

/** Jobs that this process is running now, so that a cancel reaches them at once. */
type Running = Map<string, AbortController>

/**
 * The queue is pg-boss's; what people see of a job is `platform.job`, and a queue entry is only a reference to it.
 * `work`: this process runs jobs too, and does not only take them. `adoptOrphans`: it is the only worker, so whatever is
 * marked as running was orphaned by a crash; among several workers, a heartbeat that is missing tells.
 */
export async function startJobs(
  platform: Platform,
  options: {
    url: string
    definitions: readonly JobDefinition[]
    work: boolean
    adoptOrphans: boolean
    workspaces: () => Promise<string[]>
  },
): Promise<Jobs> {
  const boss = new PgBoss({
    ...sessionOf(options.url, 'pave_jobs'),
    schema: 'jobs',
    max: 4,
    // Cron and the search for jobs whose worker is gone are the workers'.
    supervise: options.work,
    schedule: options.work,
    superviseIntervalSeconds: lookForDeadSeconds,
    monitorIntervalSeconds: lookForDeadSeconds,
  })
  boss.on('error', (error) => platform.log.warn({ err: error }, 'the job queue lost its database for a moment'))
  boss.on('warning', (warning) => platform.log.debug({ warning }, 'the job queue warns'))
  await boss.start()
  await grantSending(options.url)
  const running: Running = new Map()
  const workers = new Map<string, string>()
  await declareQueues(boss, options.definitions)
  if (options.work && options.adoptOrphans) await requeueOrphans(platform, options.url)
  for (const definition of options.work ? options.definitions : []) {
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
  const giveTickets = async (): Promise<void> => {
    const lost = await jobsWithoutTicket(platform, options.url)
    for (const { workspace, id, job, ticket } of lost.filter((one) => !running.has(one.id))) {
      const given = await platform.transaction(workspace, async (db) => {
        // Another worker may have looked at the same time, and its ticket been taken already.
        const { rows } = await sql`
          update platform.job set state = 'queued'
          where id = ${id} and state in ('queued', 'running') and ticket is not distinct from ${ticket} returning id
        `.execute(db)
        if (rows.length > 0) await boss.send(job, { workspace, id } satisfies Ticket, { db: fromKysely(db) })
        return rows.length > 0
      })
      if (given) platform.log.info({ job, jobId: id }, 'a job had lost its place in the queue and got another')
      wake(job)
    }
  }
  const sweep = options.work ? setInterval(sweepOnce, sweepMs) : undefined
  function sweepOnce(): void {
    giveTickets().catch((error) => platform.log.warn({ err: error }, 'the sweep for lost jobs failed'))
  }
  if (options.work) await giveTickets()
  const jobs: Jobs = {
    async start(db, { job, input, actor, afterMs = 0 }, after) {
      const definition = options.definitions.find((one) => one.name === job)
      if (definition === undefined) throw new TypeError(`No job is declared as ${job}`)
      const wrong = definition.input.safeParse(input).error
      if (wrong) throw platformFailure('invalid_input', `The job ${job} does not take this input: ${wrong.message}`)
      const id = platform.ids.next()
      await sql`
        insert into platform.job (workspace, id, job, input, actor, state, created_at)
        values (${actor.workspace}, ${id}, ${job}, ${JSON.stringify(input)}::jsonb, ${JSON.stringify(actor)}::jsonb,
                'queued', ${platform.clock.iso()})
      `.execute(db)
      const startAfter = new Date(platform.clock.now() + afterMs)
      await boss.send(job, { workspace: actor.workspace, id } satisfies Ticket, {
        db: fromKysely(db),
        ...(afterMs > 0 && { startAfter }),
      })
      if (afterMs === 0) after.push(() => wake(job))
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
      after.push(() => running.get(id)?.abort(platformFailure('job_cancelled', 'The job was cancelled')))
    },
    async retry(db, id, after) {
      const { rows } = await sql<{ job: string; workspace: string }>`
        update platform.job
        set state = 'queued', error = null, ended_at = null, cancel_requested = false, progress = 0, progress_text = ''
        where id = ${id} and state in ('failed', 'cancelled') returning job, workspace
      `.execute(db)
      const row = rows[0]
      if (row === undefined) throw platformFailure('job_not_found', `No failed or cancelled job has the id ${id}`)
      await boss.send(row.job, { workspace: row.workspace, id } satisfies Ticket, { db: fromKysely(db) })
      after.push(() => wake(row.job))
    },
    async stop() {
      clearInterval(sweep)
      for (const controller of running.values()) controller.abort(platformFailure('shutting_down', 'Pave is stopping'))
      await boss.stop({ graceful: true, timeout: 5_000 })
    },
  }
  return jobs
}

const sweepMs = 15_000
/** A worker that was not heard of for so long is dead; looked for at most every so often. */
const heartbeatSeconds = 15
const lookForDeadSeconds = 5
const lookForCancelMs = 2_000

async function declareQueues(boss: PgBoss, definitions: readonly JobDefinition[]): Promise<void> {
  for (const definition of definitions) {
    const settings = {
      retryLimit: definition.retries,
      retryDelay: 1,
      retryBackoff: true,
      expireInSeconds: Math.ceil(definition.timeoutMs / 1000) + 60,
      heartbeatSeconds,
    }
    await boss.createQueue(definition.name, settings)
    // The queue may be one that an earlier version declared otherwise.
    await boss.updateQueue(definition.name, settings)
    if (definition.cron !== undefined) await boss.schedule(definition.name, definition.cron, null, { tz: 'UTC' })
  }
  for (const { name } of await boss.getSchedules()) {
    if (!definitions.some((one) => one.name === name && one.cron !== undefined)) await boss.unschedule(name)
  }
}

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
  const claimed = await claim(platform, workspace, id, ticket.id)
  if (claimed === undefined) return
  const { attempt } = claimed
  const controller = new AbortController()
  running.set(id, controller)
  const timer = setTimeout(
    () =>
      controller.abort(
        platformFailure('job_timed_out', `${definition.name} took longer than ${definition.timeoutMs} ms`),
      ),
    definition.timeoutMs,
  )
  const signal = AbortSignal.any([controller.signal, ticket.signal])
  const abortIfCancelled = async (): Promise<void> => {
    if (await cancelRequested(platform, workspace, id)) {
      controller.abort(platformFailure('job_cancelled', 'The job was cancelled'))
    }
  }
  // Another process may have been asked to cancel it.
  const looking = setInterval(
    () => void abortIfCancelled().catch((error) => platform.log.debug({ err: error }, 'no look at a cancellation')),
    lookForCancelMs,
  )
  const ctx: JobContext = {
    platform,
    services: platform.services,
    workspace,
    actor: claimed.actor,
    jobId: id,
    attempt,
    clock: platform.clock,
    ids: platform.ids,
    log: platform.log.child({ job: definition.name, jobId: id }),
    signal,
    run: (step, operation, input) =>
      platform.run(operation, { actor: claimed.actor, input, idempotencyKey: `job:${id}:${step}` }),
    read: (question) => platform.read(workspace, question),
    progress: async (fraction, text) =>
      platform.transaction(workspace, async (db) => {
        await sql`
          update platform.job set progress = ${fraction}, progress_text = ${text} where id = ${id} and attempt = ${attempt}
        `.execute(db)
        await announceJob(db, workspace, {
          id,
          job: definition.name,
          progress: fraction,
          text: text.slice(0, longestText),
        })
      }),
  }
  try {
    const result = await definition.run(ctx, definition.input.parse(claimed.input))
    await finish(platform, workspace, { id, attempt, state: 'done', result: result ?? null, error: null })
  } catch (error) {
    const reason = signal.aborted && signal.reason instanceof PaveError ? signal.reason : error
    const code = reason instanceof PaveError ? reason.code : 'internal'
    if (code === 'shutting_down') {
      await finish(platform, workspace, { id, attempt, state: 'queued', result: null, error: null })
      throw reason
    }
    const last = ticket.retryCount >= definition.retries || (reason instanceof PaveError && reason.status < 500)
    const problem = {
      code,
      message: reason instanceof Error ? reason.message : String(reason),
      hint: reason instanceof PaveError ? reason.hint : '',
    }
    if (code === 'internal') ctx.log.error({ err: reason }, 'a job broke')
    const state = code === 'job_cancelled' ? 'cancelled' : last ? 'failed' : 'queued'
    await finish(platform, workspace, { id, attempt, state, result: null, error: problem })
    if (state === 'queued') throw reason
  } finally {
    clearTimeout(timer)
    clearInterval(looking)
    running.delete(id)
  }
}

/** Marks the job as run by this ticket, unless another ticket runs it or nobody wants it any more. */
async function claim(platform: Platform, workspace: string, id: string, ticket: string) {
  const { rows } = await platform.transaction(workspace, (db) =>
    sql<{ input: unknown; actor: Actor; attempt: number }>`
      update platform.job
      set state = 'running', attempt = attempt + 1, ticket = ${ticket},
          started_at = coalesce(started_at, ${platform.clock.iso()})
      where id = ${id} and (state = 'queued' or (state = 'running' and ticket = ${ticket})) and not cancel_requested
      returning input, actor, attempt
    `.execute(db),
  )
  return rows[0]
}

async function cancelRequested(platform: Platform, workspace: string, id: string): Promise<boolean> {
  const { rows } = await platform.read(workspace, (db) =>
    sql<{ cancel_requested: boolean }>`select cancel_requested from platform.job where id = ${id}`.execute(db),
  )
  return rows[0]?.cancel_requested === true
}

/** An attempt that was given up, and taken over by another, says nothing about the job any more. */
async function finish(
  platform: Platform,
  workspace: string,
  end: {
    id: string
    attempt: number
    state: 'done' | 'failed' | 'cancelled' | 'queued'
    result: unknown
    error: unknown
  },
): Promise<void> {
  const { id, attempt, state, result, error } = end
  const ended = state === 'queued' ? null : platform.clock.iso()
  await platform.transaction(workspace, async (db) => {
    await sql`
      update platform.job
      set state = ${state}, result = ${JSON.stringify(result)}::jsonb, error = ${error === null ? null : JSON.stringify(error)}::jsonb,
          ended_at = ${ended}, progress = case when ${state} = 'done' then 1 else progress end
      where id = ${id} and attempt = ${attempt}
    `.execute(db)
    await announceJob(db, workspace, { id, state })
  })
}

/** Whoever follows a job may do so through another process than the one that runs it. */
async function announceJob(db: Db, workspace: string, data: Record<string, unknown>): Promise<void> {
  await announce(db, 'pave_news', JSON.stringify({ workspace, type: 'job', data }))
}

const longestText = 1_000

const grantLock = 7_283_004

/** The app role may send, in its own transaction, and nothing else; pg-boss owns its schema. */
async function grantSending(url: string): Promise<void> {
  await asJobsRole(
    url,
    // Two processes that start at once would change the same rows of the catalog.
    `select pg_advisory_xact_lock(${grantLock});
     grant usage on schema jobs to pave_app;
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

/**
 * Jobs that wait or run with no live entry in the queue: pg-boss gives up entries for reasons of its own, such as a
 * worker that was killed on its last attempt.
 */
async function jobsWithoutTicket(platform: Platform, url: string) {
  // Jobs first: one that ends between the two looks is then only offered once more, and not claimed.
  const { rows: unfinished } = await sql<{ workspace: string; id: string; job: string; ticket: string | null }>`
    select workspace, id, job, ticket from platform.job where state in ('queued', 'running')
  `.execute(platform.system)
  if (unfinished.length === 0) return []
  const { rows } = await asJobsRole(
    url,
    `select data ->> 'id' as id from jobs.job where state in ('created', 'retry', 'active') and data ->> 'id' is not null`,
  )
  const waiting = new Set(rows.map((row) => String(row.id)))
  return unfinished.filter(({ id }) => !waiting.has(id))
}

async function asJobsRole(url: string, text: string) {
  const client = new pg.Client(sessionOf(url, 'pave_jobs'))
  // Its queries fail too, and say why.
  client.on('error', () => {})
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}
