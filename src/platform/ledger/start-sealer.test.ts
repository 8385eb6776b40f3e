import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fixedClock } from '../clock.ts'
import { openCheckpoint } from './checkpoint.ts'
import { readCheckpoints } from './checkpoints-file.ts'
import { appendTo, entryNumber, openTestLedger, type TestLedger } from './fixture.ts'
import { readHead } from './leaves.ts'
import { type Sealer, type SealerOptions, startSealer } from './start-sealer.ts'
import { verifyLedger } from './verify.ts'

let ledger: TestLedger
let sealer: Sealer
const clock = fixedClock('2001-01-01T00:00:00Z')

beforeEach(async () => {
  ledger = await openTestLedger()
})
afterEach(async () => {
  await sealer.stop()
  await ledger.drop()
})

function start(options: Partial<SealerOptions> = {}): { sizes: number[]; errors: unknown[] } {
  const sizes: number[] = []
  const errors: unknown[] = []
  sealer = startSealer({
    pool: ledger.system,
    clock,
    key: ledger.key,
    exportTo: ledger.checkpointsFile,
    restMs: 1,
    onSealed: (size) => sizes.push(size),
    onError: (error) => errors.push(error),
    ...options,
  })
  return { sizes, errors }
}

async function signedSizes(): Promise<number[]> {
  const { notes } = await readCheckpoints(ledger.checkpointsFile)
  return notes.map(({ note }) => openCheckpoint(note, ledger.key.verifier).size)
}

const soon = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 10_000, interval: 5 })

describe('the sealer', () => {
  test('seals what is announced without waiting for its interval', async () => {
    const { sizes } = start({ intervalMs: 1_000_000 })
    await sealer.flush()
    for (const size of [1, 2, 3]) {
      await ledger.append(1)
      sealer.wake()
      await soon(() => expect(sizes.at(-1)).toBe(size))
    }
  })

  test('finds by itself what nobody announced', async () => {
    const { sizes } = start({ intervalMs: 30 })
    await ledger.append(4)
    await soon(() => expect(sizes.at(-1)).toBe(4))
  })

  test('looks again when an older transaction kept an announced entry from being final', async () => {
    const { sizes } = start({ intervalMs: 1_000_000 })
    await sealer.flush()
    const early = await ledger.owner.connect()
    try {
      await early.query('begin')
      await early.query('select pg_current_xact_id()')
      await appendTo(ledger.owner, entryNumber(1))
      sealer.wake()
      for (let pass = 0; pass < 3; pass += 1) await sealer.flush()
      expect(sizes).toEqual([])
    } finally {
      await early.query('rollback')
      early.release()
    }
    await soon(() => expect(sizes).toEqual([1]))
  })

  test('exports a checkpoint when the time has come, and not before', async () => {
    const { sizes } = start({ intervalMs: 30, checkpointMs: 60_000 })
    await ledger.append(1)
    await soon(async () => expect(await signedSizes()).toEqual([1]))
    await ledger.append(1)
    await soon(() => expect(sizes.at(-1)).toBe(2))
    await ledger.append(1)
    await soon(() => expect(sizes.at(-1)).toBe(3))
    expect(await signedSizes()).toEqual([1])
    clock.advance(60_000)
    await soon(async () => expect(await signedSizes()).toEqual([1, 3]))
  })

  test('seals and signs all there is before it stops', async () => {
    start({ intervalMs: 1_000_000, limit: 2 })
    await sealer.flush()
    await ledger.append(7)
    await sealer.stop()
    expect((await signedSizes()).at(-1)).toBe(7)
    const { client, checkpointsFile, key } = ledger
    expect(await verifyLedger({ client, checkpointsFile, publicKey: key.verifier })).toMatchObject({
      entries: 7,
      problems: [],
    })
  })

  test('tells of a ledger that was rolled back and seals no more until it is restored', async () => {
    await ledger.append(3)
    await ledger.seal()
    const good = await readHead(ledger.client)
    await ledger.owner.query("update ledger.head set size = 0, root = sha256(''), frontier = '{}'")
    const { sizes, errors } = start({ intervalMs: 10 })
    await soon(() => expect(errors[0]).toMatchObject({ code: 'ledger_forked' }))
    await ledger.append(1)
    sealer.wake()
    await soon(() => expect(errors.length).toBeGreaterThan(1))
    expect(sizes).toEqual([])

    await ledger.owner.query('update ledger.head set size = $1, root = $2, frontier = $3', [
      good.size,
      good.root,
      good.frontier,
    ])
    await soon(() => expect(sizes).toEqual([4]))
  })

  test('goes on when its connections are ended', async () => {
    const { sizes } = start({ intervalMs: 20 })
    await ledger.append(1)
    await soon(() => expect(sizes).toEqual([1]))
    await ledger.owner.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pave pave_system' and datname = current_database()",
    )
    await ledger.append(1)
    await soon(() => expect(sizes).toEqual([1, 2]))
  })
})
