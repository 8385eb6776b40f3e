import { setTimeout } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { type Db, sessionOf } from './database.ts'

/** `pave_sealed` says that entries got their leaves, and who sealed them; `pave_news` carries an event for all processes. */
export type Channel = 'pave_sealed' | 'pave_news'

export interface Listener {
  stop(): Promise<void>
}

const longestRestMs = 5_000
const heartbeatMs = 10_000

/**
 * Hears what any process says on the channels, on a session of its own. When that session ends it opens another, and
 * calls `onGap`: what was said in between is lost, and has to be looked for. A session that no longer answers has ended.
 */
export function listen(
  url: string,
  handlers: Record<Channel, (payload: string) => void>,
  { onGap, onError }: { onGap: () => void; onError: (error: unknown) => void },
): Listener {
  const stopping = new AbortController()
  const { signal } = stopping

  async function keepListening(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await listenOnce(() => {
          failures = 0
          onGap()
        })
      } catch (error) {
        if (signal.aborted) return
        onError(error)
      }
      await setTimeout(Math.min(longestRestMs, 50 * 2 ** failures), undefined, { signal }).catch(() => {})
    }
  }

  async function listenOnce(onListening: () => void): Promise<void> {
    const client = new pg.Client({ ...sessionOf(url, 'pave_system'), query_timeout: heartbeatMs })
    const lost = new AbortController()
    client.on('error', (error) => lost.abort(error))
    client.on('end', () => lost.abort(new Error('The session that listens ended')))
    const over = AbortSignal.any([signal, lost.signal])
    client.on('notification', ({ channel, payload = '' }) => {
      if (channel !== 'pave_sealed' && channel !== 'pave_news') return
      try {
        handlers[channel](payload)
      } catch (error) {
        onError(error)
      }
    })
    try {
      await client.connect()
      await client.query('listen pave_sealed; listen pave_news')
      onListening()
      while (!over.aborted) {
        await setTimeout(heartbeatMs, undefined, { signal: over, ref: false }).catch(() => {})
        if (!over.aborted) await client.query('select 1')
      }
      lost.signal.throwIfAborted()
    } finally {
      await client.end().catch(() => {})
    }
  }

  const listening = keepListening()
  return {
    async stop() {
      stopping.abort()
      await listening
    },
  }
}

/** Payloads longer than this are refused by PostgreSQL. */
const longestPayload = 7_900

/** Says something to every process, this one included, when the transaction commits; never when it does not. */
export async function announce(db: Db, channel: Channel, payload: string): Promise<void> {
  if (Buffer.byteLength(payload) > longestPayload) throw new RangeError(`${payload.length} characters are no news`)
  await sql`select pg_notify(${channel}, ${payload})`.execute(db)
}
