import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pool, PoolClient } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openCheckpoint } from './checkpoint.ts'
import { lastCheckpoint, readCheckpoints } from './checkpoints-file.ts'
import { appendTo, entryNumber, openTestLedger, type TestLedger } from './fixture.ts'
import { readHead } from './leaves.ts'
import { appendLeaves, emptyTree, leafHash, rootOf } from './merkle.ts'
import { type SealOptions, sealOnce } from './seal.ts'
import { verifyLedger } from './verify.ts'

let ledger: TestLedger
beforeEach(async () => {
  ledger = await openTestLedger()
})
afterEach(() => ledger.drop())

const optionsOf = ({ key, checkpointsFile }: TestLedger): SealOptions => ({
  key,
  exportTo: checkpointsFile,
  limit: 1000,
  exportAfter: 1,
})

async function withClient(pool: Pool, work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect()
  try {
    await work(client)
  } finally {
    client.release()
  }
}

async function bodiesInOrder(): Promise<string[]> {
  const { rows } = await ledger.owner.query<{ body: string }>('select body from ledger.entry order by xid, seq')
  return rows.map(({ body }) => body)
}

describe('sealing', () => {
  test('gives entries dense leaves under the root of their tree', async () => {
    await ledger.append(7)
    const { sealed } = await sealOnce(ledger.client, { ...optionsOf(ledger), limit: 5 })
    expect(sealed).toBe(5)
    await ledger.seal()

    const head = await readHead(ledger.client)
    const expected = appendLeaves(emptyTree, (await bodiesInOrder()).map(leafHash))
    expect(head.size).toBe(7)
    expect(head.root).toEqual(rootOf(expected))
    expect(head.frontier).toEqual(expected.frontier)
    const { rows } = await ledger.owner.query('select ix from ledger.leaf order by ix')
    expect(rows.map(({ ix }) => ix)).toEqual([0, 1, 2, 3, 4, 5, 6])
  })

  test('waits for older transactions, so that nothing can come before what is sealed', async () => {
    await withClient(ledger.owner, async (early) => {
      await early.query('begin')
      await appendTo(early, entryNumber(900))
      await appendTo(ledger.owner, entryNumber(1))
      await appendTo(ledger.owner, entryNumber(2))
      expect((await sealOnce(ledger.client, optionsOf(ledger))).sealed).toBe(0)
      await early.query('commit')
    })
    expect((await ledger.seal()).size).toBe(3)
    const { rows } = await ledger.owner.query(
      'select id from ledger.leaf join ledger.entry using (seq) order by ix limit 1',
    )
    expect(rows[0].id).toBe(entryNumber(900).id)
  })

  test('leaves the work to the sealer that is at it', async () => {
    await ledger.append(1)
    await withClient(ledger.system, async (other) => {
      await other.query('begin')
      await other.query('select pg_try_advisory_xact_lock(7283003)')
      expect(await sealOnce(ledger.client, optionsOf(ledger))).toMatchObject({ sealed: 0, exported: false })
      await other.query('rollback')
    })
    expect(await sealOnce(ledger.client, optionsOf(ledger))).toMatchObject({ sealed: 1 })
  })

  test('is all that its role may do', async () => {
    await ledger.append(1)
    await ledger.seal()
    for (const sql of [
      "update ledger.entry set body = 'x'",
      'delete from ledger.entry',
      'update ledger.leaf set ix = 5',
      'delete from ledger.leaf',
      'delete from ledger.head',
    ]) {
      await expect(ledger.client.query(sql), sql).rejects.toMatchObject({ code: '42501' })
    }
  })
})

describe('checkpoints', () => {
  test('are exported of the committed head once it grew enough', async () => {
    const options = { ...optionsOf(ledger), exportAfter: 3 }
    const sizes = async () =>
      (await readCheckpoints(ledger.checkpointsFile)).notes.map(
        ({ note }) => openCheckpoint(note, ledger.key.verifier).size,
      )
    await ledger.append(2)
    await sealOnce(ledger.client, options)
    expect((await sealOnce(ledger.client, options)).exported).toBe(false)
    await ledger.append(1)
    await sealOnce(ledger.client, options)
    expect(await sizes()).toEqual([])
    expect((await sealOnce(ledger.client, options)).exported).toBe(true)
    expect((await sealOnce(ledger.client, options)).exported).toBe(false)
    expect(await sizes()).toEqual([3])
    expect((await lastCheckpoint(ledger.checkpointsFile, ledger.key.verifier))?.root).toEqual(
      (await readHead(ledger.client)).root,
    )
  })
})

describe('a ledger that does not continue what was signed', () => {
  const forked = expect.objectContaining({ code: 'ledger_forked' })

  beforeEach(async () => {
    await ledger.append(6)
    await ledger.seal()
  })

  /** What restoring a backup made at `size` entries leaves behind. */
  async function rollBackTo(size: number): Promise<void> {
    const { rows } = await ledger.owner.query(
      'select ix, hash, e.xid::text as xid, e.seq from ledger.leaf join ledger.entry e using (seq) where ix < $1 order by ix',
      [size],
    )
    const tree = appendLeaves(
      emptyTree,
      rows.map(({ hash }) => hash),
    )
    const last = rows.at(-1)
    await ledger.owner.query('delete from ledger.leaf where ix >= $1', [size])
    await ledger.owner.query('delete from ledger.entry where seq > $1', [last.seq])
    await ledger.owner.query('update ledger.head set size = $1, root = $2, frontier = $3, xid = $4, seq = $5', [
      size,
      rootOf(tree),
      tree.frontier,
      last.xid,
      last.seq,
    ])
  }

  test('is not sealed after a rollback', async () => {
    await rollBackTo(4)
    await expect(sealOnce(ledger.client, optionsOf(ledger))).rejects.toThrow(/ends at 4 entries, but a checkpoint of 6/)
    await expect(ledger.seal()).rejects.toEqual(forked)
  })

  test('is not sealed after a rollback that grew again to more entries', async () => {
    await rollBackTo(4)
    const away = { ...optionsOf(ledger), exportTo: join(ledger.directory, 'elsewhere.log') }
    await ledger.append(5)
    expect((await sealOnce(ledger.client, away)).trusted.size).toBe(9)

    const before = await readFile(ledger.checkpointsFile)
    await expect(sealOnce(ledger.client, optionsOf(ledger))).rejects.toThrow(/first 6 entries .* not those/)
    await expect(ledger.seal()).rejects.toEqual(forked)
    expect(await readFile(ledger.checkpointsFile)).toEqual(before)
    expect((await readHead(ledger.client)).size).toBe(9)
  })

  test('is not sealed by a sealer that has not seen what another one signed', async () => {
    const behind = { ...optionsOf(ledger), trusted: emptyTree }
    await rollBackTo(4)
    await expect(sealOnce(ledger.client, behind)).rejects.toThrow(/ends at 4 entries, but a checkpoint of 6/)
    await ledger.append(5)
    await sealOnce(ledger.client, { ...optionsOf(ledger), exportTo: join(ledger.directory, 'elsewhere.log') })
    await expect(sealOnce(ledger.client, behind)).rejects.toThrow(/first 6 entries .* not those/)
  })

  test('is not sealed when it shrank before anything was signed', async () => {
    const away = { ...optionsOf(ledger), exportTo: join(ledger.directory, 'elsewhere.log'), exportAfter: 1000 }
    const { trusted } = await sealOnce(ledger.client, away)
    await rollBackTo(4)
    await expect(sealOnce(ledger.client, { ...away, trusted })).rejects.toThrow(/shrank from 6 to 4 entries/)
  })

  test('is not sealed after a rollback to the same number of other entries', async () => {
    await rollBackTo(4)
    await ledger.append(2)
    await sealOnce(ledger.client, { ...optionsOf(ledger), exportTo: join(ledger.directory, 'elsewhere.log') })
    await expect(sealOnce(ledger.client, optionsOf(ledger))).rejects.toEqual(forked)
    await expect(ledger.seal()).rejects.toEqual(forked)
  })

  test('is not sealed when a leaf that it was signed with is gone', async () => {
    await ledger.append(1)
    await sealOnce(ledger.client, optionsOf(ledger))
    await ledger.owner.query('delete from ledger.leaf where ix = 2')
    await expect(sealOnce(ledger.client, optionsOf(ledger))).rejects.toThrow('Leaf 2 of the ledger is missing')
  })

  test('is not sealed when its head was tampered with', async () => {
    await ledger.owner.query('update ledger.head set frontier = frontier[1:1]')
    await expect(sealOnce(ledger.client, optionsOf(ledger))).rejects.toEqual(forked)
    await ledger.owner.query("update ledger.head set root = sha256('x')")
    await expect(ledger.seal()).rejects.toEqual(forked)
  })

  test('is sealed by a second sealer that knows only the checkpoints', async () => {
    await ledger.append(3)
    await sealOnce(ledger.client, { ...optionsOf(ledger), exportAfter: 1000 })
    await ledger.append(2)
    expect((await sealOnce(ledger.client, optionsOf(ledger))).trusted.size).toBe(11)
    expect((await ledger.seal()).size).toBe(11)
  })
})

describe('under concurrent writers, rollbacks and two sealers', () => {
  const writers = 8
  const each = 60

  test('the leaves are the commits, in an order that respects what was acknowledged', async () => {
    const begun = new Map<string, number>()
    const acknowledged = new Map<string, number>()
    let tick = 0
    let writing = true

    async function write(client: PoolClient, writer: number): Promise<void> {
      for (let turn = 0; turn < each; turn += 1) {
        const number = writer * each + turn + 1
        const entry = entryNumber(number)
        begun.set(entry.id, tick++)
        await client.query('begin')
        if (number % 5 === 0) await client.query('savepoint s')
        await appendTo(client, entry)
        if (number % 5 === 0) await client.query(number % 10 === 0 ? 'rollback to s' : 'release s')
        const kept = number % 7 !== 0
        await client.query(kept ? 'commit' : 'rollback')
        if (kept && number % 10 !== 0) acknowledged.set(entry.id, tick++)
      }
    }

    const roots = new Map<number, Buffer>()
    async function seal(client: PoolClient): Promise<void> {
      let options: SealOptions = { ...optionsOf(ledger), limit: 13 }
      for (let idle = 0; writing || idle < 3; ) {
        const result = await sealOnce(client, options)
        options = { ...options, trusted: result.trusted }
        roots.set(result.trusted.size, rootOf(result.trusted))
        idle = result.sealed === 0 ? idle + 1 : 0
      }
    }

    const sealers = [1, 2].map(() => withClient(ledger.system, seal))
    const work = Array.from({ length: writers }, (_, writer) =>
      withClient(ledger.owner, (client) => write(client, writer)),
    )
    await Promise.all(work).finally(() => {
      writing = false
    })
    await Promise.all(sealers)
    await ledger.seal()

    const { rows } = await ledger.owner.query<{ ix: number; id: string; body: string }>(
      'select ix, id, body from ledger.leaf join ledger.entry using (seq) order by ix',
    )
    expect(rows.map(({ ix }) => ix)).toEqual(rows.map((_, index) => index))
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(acknowledged.keys()))

    let latestBegin = -1
    for (const { id } of rows) {
      expect(acknowledged.get(id)).toBeGreaterThan(latestBegin)
      latestBegin = Math.max(latestBegin, begun.get(id) ?? Number.POSITIVE_INFINITY)
    }

    expect(roots.size).toBeGreaterThan(10)
    for (const [size, root] of roots) {
      const naive = appendLeaves(
        emptyTree,
        rows.slice(0, size).map(({ body }) => leafHash(body)),
      )
      expect(root).toEqual(rootOf(naive))
    }
    const { client, checkpointsFile, key } = ledger
    const report = await verifyLedger({ client, checkpointsFile, publicKey: key.verifier })
    expect(report).toMatchObject({ entries: rows.length, verified: rows.length, unsealed: 0, problems: [] })
    expect(report.checkpoints).toBeGreaterThan(5)
  })
})
