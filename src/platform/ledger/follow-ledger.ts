import { sql } from 'kysely'
import { systemActor } from '../actor.ts'
import type { Platform, Subscriber } from '../platform.ts'
import type { Entry } from './entry.ts'

const batch = 200

/** Every subscriber's cursor over the sealed entries: in order, at least once, each at its own pace. */
export function followLedger(platform: Platform): { wake(): void; stop(): Promise<void> } {
  const subscribers = platform.modules.flatMap((module) => module.subscribers ?? [])
  const followers = subscribers.map((subscriber) => follow(platform, subscriber))
  return {
    wake: () => {
      for (const follower of followers) follower.wake()
    },
    stop: async () => void (await Promise.all(followers.map((follower) => follower.stop()))),
  }
}

function follow(platform: Platform, subscriber: Subscriber): { wake(): void; stop(): Promise<void> } {
  let stopped = false
  let woken = false
  let sleeping: (() => void) | undefined
  const wake = () => {
    woken = true
    sleeping?.()
  }
  const rest = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      if (woken || stopped) return resolve()
      const timer = setTimeout(done, milliseconds)
      function done() {
        clearTimeout(timer)
        sleeping = undefined
        resolve()
      }
      sleeping = done
    })
  const loop = async () => {
    let failures = 0
    while (!stopped) {
      woken = false
      try {
        const handled = await handleNext(platform, subscriber, () => stopped)
        failures = 0
        if (handled === 0) await rest(1_000)
      } catch (error) {
        failures += 1
        if (stopped) return
        platform.log.warn({ err: error, subscriber: subscriber.name, failures }, 'a subscriber failed and will retry')
        await rest(Math.min(30_000, 100 * 2 ** failures))
      }
    }
  }
  const finished = loop()
  return {
    wake,
    stop: async () => {
      stopped = true
      sleeping?.()
      await finished
    },
  }
}

/** Handles one batch; one holder of the cursor's row at a time, so that several processes do not handle one entry. */
async function handleNext(platform: Platform, subscriber: Subscriber, stopped: () => boolean): Promise<number> {
  const client = await platform.systemPool.connect()
  const lock = `subscriber ${subscriber.name}`
  try {
    const held = await client.query<{ held: boolean }>('select pg_try_advisory_lock(hashtext($1)) as held', [lock])
    if (held.rows[0]?.held !== true) return 0
    try {
      await client.query('insert into ledger.cursor (subscriber, ix) values ($1, 0) on conflict do nothing', [
        subscriber.name,
      ])
      const head = await client.query<{ size: number }>('select size from ledger.head')
      const { rows } = await client.query<{ ix: number; body: string }>(
        `select l.ix, e.body from ledger.leaf l join ledger.entry e on e.seq = l.seq
         where l.ix >= (select ix from ledger.cursor where subscriber = $1) and e.operation = any($2)
         order by l.ix limit $3`,
        [subscriber.name, subscriber.operations, batch],
      )
      for (const { ix, body } of rows) {
        if (stopped()) break
        const entry: Entry = JSON.parse(body)
        await subscriber.handle(
          {
            platform,
            run: (step, operation, input) =>
              platform.run(operation, {
                actor: systemActor(entry.workspace),
                input,
                idempotencyKey: `${subscriber.name}:${entry.id}:${step}`,
              }),
          },
          entry,
        )
        await client.query('update ledger.cursor set ix = $2, failures = 0 where subscriber = $1', [
          subscriber.name,
          ix + 1,
        ])
      }
      // Nothing for this subscriber below the head: the next look starts there.
      if (rows.length === 0) {
        await client.query('update ledger.cursor set ix = greatest(ix, $2) where subscriber = $1', [
          subscriber.name,
          head.rows[0]?.size ?? 0,
        ])
      }
      return rows.length
    } finally {
      await client.query('select pg_advisory_unlock(hashtext($1))', [lock]).catch(() => {})
    }
  } finally {
    client.release()
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
