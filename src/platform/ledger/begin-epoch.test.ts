import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { beginEpoch, restoreOperation } from './begin-epoch.ts'
import { appendCheckpoint } from './checkpoints-file.ts'
import type { Entry } from './entry.ts'
import { exportLedger } from './export.ts'
import { appendTo, entryNumber, openTestLedger, type TestLedger } from './fixture.ts'
import { type Head, readHead } from './leaves.ts'
import { sealOnce } from './seal.ts'
import { verifyLedger } from './verify.ts'
import { verifyLedgerFile } from './verify-file.ts'

let ledger: TestLedger

// Five entries are sealed; two more were acknowledged and are not. All come from a cluster that had counted further.
beforeEach(async () => {
  ledger = await openTestLedger()
  await ledger.append(5)
  await ledger.seal()
  await ledger.append(2)
  const ahead = '((xid::text)::numeric + 1000000000)::text::xid8'
  await ledger.owner.query(`update ledger.entry set xid = ${ahead}`)
  await ledger.owner.query(`update ledger.head set xid = ${ahead}`)
})
afterEach(() => ledger.drop())

describe('an epoch that a restore begins', () => {
  test('seals what the backup brought, then its own entry, and goes on from there', async () => {
    await restoreAt(1_760_000_000)
    await appendTo(ledger.owner, entryNumber(100))
    await seal()
    expect(await idsInOrder()).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 1_760_000_000, 100].map((number) => entryNumber(number).id),
    )
    const report = await verify()
    expect(report).toMatchObject({ entries: 9, verified: 9, unsealed: 0, problems: [] })
    expect(report.statements).toEqual([expect.stringMatching(/^restored at .* from the backup 2026-a, with 5 sealed/)])
  })

  test('explains the checkpoints that were signed after the backup, in the database and in a file', async () => {
    const backup = await readFile(ledger.checkpointsFile)
    await lateCheckpoints()
    const witnessed = join(ledger.directory, 'witnessed')
    await writeFile(witnessed, await readFile(ledger.checkpointsFile))
    expect((await verify()).problems).toEqual([expect.stringMatching(/rolled back to 5 entries: a checkpoint of 9/)])

    await restoreAt(1_760_000_000)
    for (let number = 200; number < 205; number++) await appendTo(ledger.owner, entryNumber(number))
    await seal()
    const explained = {
      problems: [],
      statements: [expect.stringMatching(/is not in this ledger \(checkpoints were signed of 4 entries more\)$/)],
    }
    expect(await verify()).toMatchObject(explained)
    const exported = join(ledger.directory, 'export.ndjson')
    await exportLedger({ client: ledger.client, path: exported, key: ledger.key })
    const files = { entriesFile: exported, publicKey: ledger.key.verifier }
    expect(await verifyLedgerFile({ ...files, checkpointsFile: witnessed })).toMatchObject({ ...explained, newer: 0 })

    await writeFile(ledger.checkpointsFile, backup)
    const { statements } = await verifyLedgerFile({ ...files, checkpointsFile: ledger.checkpointsFile })
    expect(statements).toEqual([expect.stringMatching(/no checkpoint here is of later entries/)])
  })

  test('excuses nothing that was signed before the backup', async () => {
    await restoreAt(1_760_000_000)
    await ledger.owner.query("update ledger.leaf set hash = sha256('x') where ix = 3")
    expect((await verify()).problems).toContainEqual(
      expect.stringMatching(/^leaves 0 to 4 are not those that the checkpoint of 5 entries/),
    )
  })

  test('counts only when the key signed in it: whoever holds the database alone cannot begin one', async () => {
    await lateCheckpoints()
    await begin(1_760_000_000)
    const { problems } = await verify()
    expect(problems).toContainEqual(expect.stringMatching(/but no checkpoint was signed in the epoch 1760000000/))
    expect(problems).toContainEqual(expect.stringMatching(/rolled back to .* a checkpoint of 9 was signed/))
    await expect(seal()).rejects.toMatchObject({ code: 'ledger_forked' })
  })

  test('may be followed by another, and by none that is older', async () => {
    await restoreAt(1_760_000_000)
    await expect(restoreAt(1_760_000_000)).rejects.toThrow(RangeError)
    await restoreAt(1_760_000_500)
    await appendTo(ledger.owner, entryNumber(100))
    await seal()
    const { problems, statements, entries } = await verify()
    expect({ problems, entries }).toEqual({ problems: [], entries: 10 })
    expect(statements).toHaveLength(2)
  })

  test('is not begun on leaves that are not those of the head', async () => {
    await ledger.owner.query("update ledger.leaf set hash = sha256('x') where ix = 3")
    await expect(restoreAt(1_760_000_000)).rejects.toMatchObject({ code: 'ledger_forked' })
  })
})

async function begin(epoch: number): Promise<Head> {
  const client = await ledger.owner.connect()
  try {
    await client.query('begin')
    const head = await beginEpoch(client, epoch, ({ size, root }) => [
      restoreEntry({ epoch, size, root: root.toString('base64'), backup: '2026-a' }),
    ])
    await client.query('commit')
    return head
  } finally {
    client.release(true)
  }
}

async function restoreAt(epoch: number): Promise<void> {
  await appendCheckpoint(ledger.checkpointsFile, await begin(epoch), ledger.key)
}

function restoreEntry(facts: { epoch: number; size: number; root: string; backup: string }): Entry {
  return { ...entryNumber(facts.epoch), operation: restoreOperation, facts }
}

/** The world went on after the backup, to nine entries, and signed them; the database here is the backup's. */
async function lateCheckpoints(): Promise<void> {
  const root = Buffer.alloc(32, 9)
  await appendCheckpoint(ledger.checkpointsFile, { epoch: 0, size: 9, root }, ledger.key)
}

/** As a control plane that starts: it knows nothing but the database and the file. */
async function seal(): Promise<void> {
  for (;;) {
    const options = { key: ledger.key, exportTo: ledger.checkpointsFile, limit: 1000, exportAfter: 1 }
    const { sealed, exported } = await sealOnce(ledger.client, options)
    if (sealed === 0 && !exported && (await readHead(ledger.client)).size === (await entryCount())) return
  }
}

async function entryCount(): Promise<number> {
  const { rows } = await ledger.owner.query<{ count: number }>('select count(*) from ledger.entry')
  return rows[0]?.count ?? 0
}

async function idsInOrder(): Promise<string[]> {
  const { rows } = await ledger.owner.query<{ id: string }>(
    'select id from ledger.leaf join ledger.entry using (seq) order by ix',
  )
  return rows.map(({ id }) => id)
}

function verify() {
  const { client, checkpointsFile, key } = ledger
  return verifyLedger({ client, checkpointsFile, publicKey: key.verifier })
}
