import type { Pool } from 'pg'
import type { Clock } from '../clock.ts'
import type { Tree } from './merkle.ts'
import { type Sealed, sealOnce } from './seal.ts'
import type { SigningKey } from './signing-key.ts'

export interface SealerOptions {
  /** Sessions of the role pave_system. */
  pool: Pool
  clock: Clock
  key: SigningKey
  /** The file that signed checkpoints are appended to. */
  exportTo: string
  /** How other processes tell this sealer from others. */
  announceAs?: string
  /** Rest between two transactions, so that many small commits share one. */
  restMs?: number
  /** Longest time between two looks for entries that nobody announced. */
  intervalMs?: number
  /** Most entries sealed in one transaction. */
  limit?: number
  /** A checkpoint is exported after so many entries or milliseconds, whichever is first, and when the sealer stops. */
  checkpointEntries?: number
  checkpointMs?: number
  /** Called after entries got their leaves, with the number of leaves. */
  onSealed?: (size: number) => void
  /** Called at each failure, at most every `intervalMs` and ever more rarely while they last. */
  onError: (error: unknown) => void
}

export interface Sealer {
  /** Announces that an entry was committed. */
  wake(): void
  /** Seals what is final now and exports a checkpoint of it. */
  flush(): Promise<void>
  /** Flushes, then ends. */
  stop(): Promise<void>
}

const longestPauseMs = 5_000

/**
 * Seals in the background: promptly when woken, and every `intervalMs` otherwise. After activity it looks again at
 * growing intervals, because an entry becomes final only when every older transaction has ended.
 */
export function startSealer(options: SealerOptions): Sealer {
  const { pool, clock, key, exportTo, onError, onSealed, announceAs } = options
  const { restMs = 25, intervalMs = 1000, limit = 5000, checkpointEntries = 10_000, checkpointMs = 10_000 } = options
  let trusted: Tree | undefined
  let exportedAt = Number.NEGATIVE_INFINITY
  let stopped = false
  let woken = false
  let onWake = () => {}
  let onStop = () => {}
  let passes: Promise<unknown> = Promise.resolve()

  async function pass(exportAfter: number): Promise<Sealed> {
    const client = await pool.connect()
    try {
      const result = await sealOnce(client, { key, exportTo, limit, exportAfter, trusted, announceAs })
      trusted = result.trusted
      if (result.exported) exportedAt = clock.now()
      client.release()
      return result
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  /** One after the other, whoever asks: each needs what the one before came to trust. */
  async function sealInTurn(exportAfter: number): Promise<number> {
    const turn = passes.then(() => pass(exportAfter))
    passes = turn.catch(() => {})
    const { sealed, trusted } = await turn
    if (sealed > 0) onSealed?.(trusted.size)
    return sealed
  }

  async function flush(): Promise<void> {
    while ((await sealInTurn(1)) > 0);
  }

  /** Ends after `ms`, when the sealer stops, and if `wakeable` when an entry is announced. */
  function pauseFor(ms: number, wakeable: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(end, ms)
      onStop = end
      onWake = wakeable ? end : () => {}
      if (stopped || (wakeable && woken)) end()
    })
  }

  async function run(): Promise<void> {
    let pause = intervalMs
    while (!stopped) {
      woken = false
      try {
        const due = clock.now() - exportedAt >= checkpointMs
        const sealed = await sealInTurn(due ? 1 : checkpointEntries)
        if (sealed === limit) continue
        pause = sealed > 0 ? restMs : Math.min(pause * 2, intervalMs)
        await pauseFor(restMs, false)
        await pauseFor(Math.max(0, pause - restMs), true)
        if (woken) pause = restMs
      } catch (error) {
        onError(error)
        pause = Math.min(Math.max(pause, intervalMs) * 2, longestPauseMs)
        await pauseFor(pause, false)
      }
    }
  }

  const running = run()
  return {
    wake() {
      woken = true
      onWake()
    },
    flush,
    async stop() {
      stopped = true
      onStop()
      await running
      await flush().catch(onError)
    },
  }
}
