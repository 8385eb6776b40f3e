import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { RedisArguments, RedisConnection } from './redis-connection.ts'

/** In a cluster a transaction reaches one slot. */
export interface BatchJournal {
  /** All groups, or none that a reader of this process sees once it could write again. */
  write(groups: ReadonlyMap<string, readonly RedisArguments[]>): Promise<void>
  /** Finishes a batch that was left half-written. */
  settle(): Promise<void>
}

const journalName = 'pave:{journal}'
const withinMs = 5000
/** A note of another process that stays for so long belongs to one that ended: longer than any batch is tried. */
const abandonedMs = 12_000
const lookAgainMs = 20
const Journal = z.array(z.object({ name: z.string(), commands: z.array(z.array(z.base64())) }))

/**
 * A batch over several slots is first noted as a whole, then written group by group, then crossed out. Whoever finds a
 * note that nobody works on writes it once more, which changes nothing that was written already. Batches come one at a
 * time, from whichever process.
 */
export function batchJournal(
  redis: RedisConnection,
  transact: (name: string, commands: readonly RedisArguments[]) => Promise<readonly unknown[]>,
): BatchJournal {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    return turn
  }
  const crossOut = () => transact(journalName, [['DEL', journalName]])

  let mine = ''
  async function readNote(): Promise<string | undefined> {
    const note = await redis.send(journalName, ['GET', journalName], withinMs)
    return note instanceof Uint8Array ? Buffer.from(note).toString() : undefined
  }
  /** A note that is this process's own, or whose writer is gone. */
  async function abandonedNote(): Promise<string | undefined> {
    const first = await readNote()
    let note = first
    const end = performance.now() + abandonedMs
    while (note !== undefined && note === first && note !== mine && performance.now() < end) {
      await pause(lookAgainMs)
      note = await readNote()
    }
    return note === first ? note : undefined
  }

  async function finish(): Promise<void> {
    const note = await abandonedNote()
    if (note === undefined) return
    const groups = Journal.parse(JSON.parse(note))
    await Promise.all(
      groups.map(({ name, commands }) =>
        transact(
          name,
          commands.map((args) => args.map((text) => Buffer.from(text, 'base64'))),
        ),
      ),
    )
    await crossOut()
  }

  /** Another process may have been faster since the last one's note went. */
  async function noteDown(note: string): Promise<void> {
    for (;;) {
      const [noted] = await transact(journalName, [['SET', journalName, note, 'NX']])
      if (noted !== null) return
      await finish()
    }
  }

  return {
    settle: () => inTurn(finish),
    write: (groups) =>
      inTurn(async () => {
        await finish()
        const [[name, commands] = ['', []], another] = groups
        if (another === undefined) return void (await transact(name, commands))
        const note = Array.from(groups, ([name, commands]) => ({
          name,
          commands: commands.map((args) => args.map((part) => Buffer.from(part).toString('base64'))),
        }))
        mine = JSON.stringify(note)
        await noteDown(mine)
        await Promise.all(Array.from(groups, ([name, commands]) => transact(name, commands)))
        await crossOut()
      }),
  }
}
