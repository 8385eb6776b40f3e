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
const Journal = z.array(z.object({ name: z.string(), commands: z.array(z.array(z.base64())) }))

/**
 * A batch over several slots is first noted as a whole, then written group by group, then crossed out. Whoever finds a
 * note writes it once more, which changes nothing that was written already. It takes one writer, as the store does.
 */
export function batchJournal(
  redis: RedisConnection,
  transact: (name: string, commands: readonly RedisArguments[]) => Promise<unknown>,
): BatchJournal {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    return turn
  }
  const crossOut = () => transact(journalName, [['DEL', journalName]])

  async function finish(): Promise<void> {
    const note = await redis.send(journalName, ['GET', journalName], withinMs)
    if (!(note instanceof Uint8Array)) return
    const groups = Journal.parse(JSON.parse(Buffer.from(note).toString()))
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
        await transact(journalName, [['SET', journalName, JSON.stringify(note)]])
        await Promise.all(Array.from(groups, ([name, commands]) => transact(name, commands)))
        await crossOut()
      }),
  }
}
