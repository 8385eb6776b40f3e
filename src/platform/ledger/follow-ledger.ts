import { sql } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import { systemActor } from '../actor.ts'
import type { Platform, Subscriber, SubscriberContext } from '../platform.ts'
import { openPool } from '../storage/database/database.ts'
import type { Entry } from './entry.ts'

const batch = 200
/** A cursor that found nothing is moved by so many leaves at once only: every move is a commit. */
const idleStep = 1_000
const lookAgainMs = 1_000
const longestRestMs = 30_000

/**
 * Every subscriber's cursor over the sealed entries: in order, at least once, each at its own pace. The pool is theirs
 * alone, a session for each: they hold it while they work, which must keep nobody else from the database.
 */
export function followLedger(
  platform: Platform,
  url: string,
): {
  /** Makes those look at once that care about any of these operations; the others look now and then by themselves. */
  wake(operations: ReadonlySet<string>): void
  stop(): Promise<void>
} {
  const subscribers = platform.modules.flatMap((module) => module.subscribers ?? [])
  const pool = openPool(url, 'pave_system', {
    max: Math.max(1, subscribers.length),
    onError: (error) => platform.log.warn({ err: error }, 'the session of a subscriber ended'),
    applicationName: 'pave subscribers',
  })
  const followers = subscribers.map((subscriber) => follow(platform, pool, subscriber))
  return {
    wake: (operations) => {
      for (const { wanted, wake } of followers) if (wanted().some((one) => operations.has(one))) wake()
    },
    stop: async () => {
      await Promise.all(followers.map((follower) => follower.stop()))
      await pool.end()
    },
  }
}

interface Follower {
  /** The operations that it last asked for. */
  wanted(): readonly string[]
  wake(): void
  stop(): Promise<void>
}

/** What a follower knows between two looks. */
interface Seen {
  /** Its cursor when last read, and the leaf below which nothing concerns it any more. */
  cursor: number
  below: number
  operations: readonly string[]
}

function follow(platform: Platform, pool: Pool, subscriber: Subscriber): Follower {
  let stopped = false
  let woken = false
  let sleeping: (() => void) | undefined
  const wake = () => {
    woken = true
    sleeping?.()
  }
  const rest = (milliseconds: number, wakeable: boolean) =>
    new Promise<void>((resolve) => {
      if ((wakeable && woken) || stopped) return resolve()
      const timer = setTimeout(done, milliseconds)
      function done() {
        clearTimeout(timer)
        sleeping = undefined
        resolve()
      }
      sleeping = () => (wakeable || stopped ? done() : undefined)
    })
  const seen: Seen = { cursor: 0, below: 0, operations: [] }
  const loop = async () => {
    let failures = 0
    while (!stopped) {
      woken = false
      try {
        const handled = await handleNext(platform, pool, subscriber, seen, () => stopped)
        failures = 0
        if (handled === 0) await rest(lookAgainMs, true)
      } catch (error) {
        failures += 1
        if (stopped) return
        platform.log.warn({ err: error, subscriber: subscriber.name, failures }, 'a subscriber failed and will retry')
        await rest(Math.min(longestRestMs, 100 * 2 ** failures), false)
      }
    }
  }
  const finished = loop()
  return {
    wanted: () => seen.operations,
    wake,
    stop: async () => {
      stopped = true
      sleeping?.()
      await finished
    },
  }
}

/** Handles one batch; one holder of the cursor's row at a time, so that several processes do not handle one entry. */
async function handleNext(
  platform: Platform,
  pool: Pool,
  subscriber: Subscriber,
  seen: Seen,
  stopped: () => boolean,
): Promise<number> {
  const client = await pool.connect()
  const lock = `subscriber ${subscriber.name}`
  try {
    const held = await client.query<{ held: boolean }>('select pg_try_advisory_lock(hashtext($1)) as held', [lock])
    if (held.rows[0]?.held !== true) return 0
    try {
      const { size, cursor } = await readPlace(client, subscriber.name)
      // Somebody who sets a cursor back wants a replay.
      if (cursor < seen.cursor) seen.below = cursor
      seen.cursor = cursor
      // Asked for after the size was read: whoever begins to want an operation later finds its entries above.
      const { operations } = subscriber
      seen.operations = typeof operations === 'function' ? await operations(platform) : operations
      const { rows } = await client.query<{ ix: number; body: string }>(
        `select l.ix, e.body from ledger.leaf l join ledger.entry e on e.seq = l.seq
         where l.ix >= $1 and l.ix < $4 and e.operation = any($2)
         order by l.ix limit $3`,
        [Math.max(cursor, seen.below), seen.operations, batch, size],
      )
      for (const { ix, body } of rows) {
        if (stopped()) break
        const entry: Entry = JSON.parse(body)
        try {
          await subscriber.handle(contextOf(platform, subscriber, entry), entry)
        } catch (error) {
          await client.query(
            'update ledger.cursor set failures = failures + 1, last_error = $2 where subscriber = $1',
            [subscriber.name, String(error).slice(0, 2000)],
          )
          throw error
        }
        await client.query('update ledger.cursor set ix = $2, failures = 0, last_error = null where subscriber = $1', [
          subscriber.name,
          ix + 1,
        ])
        seen.below = ix + 1
      }
      if (rows.length === 0) {
        seen.below = Math.max(seen.below, size)
        if (size - cursor >= idleStep) {
          await client.query('update ledger.cursor set ix = $2 where subscriber = $1 and ix < $2', [
            subscriber.name,
            size,
          ])
        }
      }
      return rows.length
    } finally {
      await client.query('select pg_advisory_unlock(hashtext($1))', [lock]).catch(() => {})
    }
  } finally {
    client.release()
  }
}

/** The sealed size and the subscriber's cursor, which its first look makes. */
async function readPlace(client: PoolClient, subscriber: string): Promise<{ size: number; cursor: number }> {
  const { rows } = await client.query<{ size: number; cursor: number | null }>(
    'select size, (select ix from ledger.cursor where subscriber = $1) as cursor from ledger.head',
    [subscriber],
  )
  const { size = 0, cursor = null } = rows[0] ?? {}
  if (cursor !== null) return { size, cursor }
  await client.query('insert into ledger.cursor (subscriber, ix) values ($1, 0) on conflict do nothing', [subscriber])
  return { size, cursor: 0 }
}

function contextOf(platform: Platform, subscriber: Subscriber, entry: Entry): SubscriberContext {
  return {
    platform,
    run: (step, operation, input) =>
      platform.run(operation, {
        actor: systemActor(entry.workspace),
        input,
        idempotencyKey: `${subscriber.name}:${entry.id}:${step}`,
      }),
  }
}

/** The newest entries that touch an object, for timelines; newest first. */
export async function entriesOf(
  platform: Platform,
  workspace: string,
  subject: { kind: string; id: string },
  limit = 200,
): Promise<Entry[]> {
  return platform.read(workspace, async (db) => {
    const { rows } = await sql<{ body: string }>`
      select e.body from ledger.entry e
      where e.id in (select s.entry from ledger.subject s
                     where s.workspace = ${workspace} and s.kind = ${subject.kind} and s.id = ${subject.id})
      order by e.seq desc limit ${limit}
    `.execute(db)
    return rows.map((row): Entry => JSON.parse(row.body))
  })
}
