import { appendFile, copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { LedgerReport } from './audit.ts'
import { signCheckpoint } from './checkpoint.ts'
import { openTestLedger, type TestLedger } from './fixture.ts'
import { readHead } from './leaves.ts'
import { appendLeaves, emptyTree, leafHash, rootOf } from './merkle.ts'
import { createSigningKey } from './signing-key.ts'
import { verifyLedger } from './verify.ts'

let ledger: TestLedger
let honestFile: Buffer

beforeAll(async () => {
  ledger = await openTestLedger()
  for (const count of [5, 1, 6]) {
    await ledger.append(count)
    await ledger.seal()
  }
  honestFile = await readFile(ledger.checkpointsFile)
})
afterAll(() => ledger.drop())
beforeEach(() => writeFile(ledger.checkpointsFile, honestFile))

function verify(): Promise<LedgerReport & { unsealed: number }> {
  const { client, checkpointsFile, key } = ledger
  return verifyLedger({ client, checkpointsFile, publicKey: key.verifier })
}

/** Does something only the owner of the database can do, verifies what it leaves, and undoes it. */
async function reportAfter(...tampering: string[]): Promise<LedgerReport & { unsealed: number }> {
  const { owner, checkpointsFile, key } = ledger
  const client = await owner.connect()
  const kept = 'entry leaf head subject'.split(' ')
  for (const table of kept) await client.query(`create table public.kept_${table} as table ledger.${table}`)
  try {
    for (const sql of tampering) await client.query(sql)
    return await verifyLedger({ client, checkpointsFile, publicKey: key.verifier })
  } finally {
    for (const table of kept) {
      await client.query(`truncate ledger.${table}`)
      await client.query(`insert into ledger.${table} overriding system value table public.kept_${table}`)
      await client.query(`drop table public.kept_${table}`)
    }
    client.release()
  }
}

/** The body of one entry rewritten, with leaf and head made to agree, as a careful forger would. */
async function forge(body: string): Promise<string[]> {
  const { rows } = await ledger.owner.query<{ ix: number; hash: Buffer }>(
    'select ix, hash from ledger.leaf order by ix',
  )
  const hashes = rows.map(({ ix, hash }) => (ix === 7 ? leafHash(body) : hash))
  const tree = appendLeaves(emptyTree, hashes)
  const hex = (bytes: Buffer) => `'\\x${bytes.toString('hex')}'`
  return [
    `update ledger.entry set body = '${body}' where seq = (select seq from ledger.leaf where ix = 7)`,
    `update ledger.leaf set hash = ${hex(leafHash(body))} where ix = 7`,
    `update ledger.head set root = ${hex(rootOf(tree))}, frontier = array[${tree.frontier.map(hex)}]::bytea[]`,
  ]
}

const entryOf = (ix: number) => `(select seq from ledger.leaf where ix = ${ix})`

describe('verifying the database', () => {
  test('finds nothing wrong with an honest ledger', async () => {
    expect(await verify()).toEqual({
      entries: 12,
      verified: 12,
      checkpoints: 3,
      unsealed: 0,
      problems: [],
      statements: [],
    })
  })

  test('an entry altered by one byte', async () => {
    const { problems, verified } = await reportAfter(
      `update ledger.entry set body = replace(body, '"done"', '"dune"') where seq = ${entryOf(7)}`,
    )
    expect(problems).toEqual(['leaf 7 was altered: its entry does not hash to it'])
    expect(verified).toBe(11)
  })

  test('an entry altered together with its leaf and the head', async () => {
    const { problems } = await reportAfter(...(await forge('{"version":1}')))
    expect(problems).toContainEqual(
      expect.stringMatching(
        /^leaves 6 to 11 are not those that the checkpoint of 12 entries \(line 13 of .*\) was signed for$/,
      ),
    )
  })

  test.each([
    [
      'a leaf altered',
      "update ledger.leaf set hash = sha256('x') where ix = 3",
      'leaf 3 was altered: its entry does not hash to it',
    ],
    ['a leaf removed', 'delete from ledger.leaf where ix = 3', 'leaf 3 is missing'],
    ['several leaves removed', 'delete from ledger.leaf where ix between 3 and 5', 'leaves 3 to 5 are missing'],
    ['an entry removed', `delete from ledger.entry where seq = ${entryOf(3)}`, /^leaf 3 has lost its entry \d+$/],
    [
      'the last leaf removed',
      'delete from ledger.leaf where ix = 11',
      'the head is of 12 entries, the ledger has 11 leaves',
    ],
    [
      'two entries that changed places in their order',
      `update ledger.entry set xid = (select xid from ledger.entry where seq = ${entryOf(9)}) where seq = ${entryOf(2)}`,
      /^leaf 3 is out of order: its entry \d+ comes before entry \d+$/,
    ],
    [
      'an entry slipped in among what is sealed',
      `insert into ledger.entry (xid, workspace, id, at, operation, body) select xid, workspace, gen_random_uuid(), at, operation, body from ledger.entry where seq = ${entryOf(1)}`,
      /^entry \d+ was slipped in: it comes before the end of what is sealed but has no leaf$/,
    ],
    [
      'a head with another root',
      "update ledger.head set root = sha256('x')",
      "the head's root is not that of the 12 leaves",
    ],
    [
      'a head with another frontier',
      'update ledger.head set frontier = frontier[1:1]',
      "the head's frontier does not give its root",
    ],
    [
      'a head with another end',
      'update ledger.head set seq = 5',
      /^the head ends at entry 5, the last leaf is of entry \d+$/,
    ],
    [
      'another workspace in the column',
      `update ledger.entry set workspace = gen_random_uuid() where seq = ${entryOf(4)}`,
      /^leaf 4: the indexed workspace of entry \d+ is not what the entry says$/,
    ],
    [
      'another time in the column',
      `update ledger.entry set at = at + interval '1 s' where seq = ${entryOf(4)}`,
      /^leaf 4: the indexed at /,
    ],
    [
      'another operation in the column',
      `update ledger.entry set operation = 'x' where seq = ${entryOf(4)}`,
      /^leaf 4: the indexed operation /,
    ],
    [
      'a subject unlinked',
      `delete from ledger.subject where entry = (select id from ledger.entry where seq = ${entryOf(4)})`,
      /^leaf 4: the indexed subjects /,
    ],
  ])('%s', async (_, tampering, expected) => {
    const { problems } = await reportAfter(tampering)
    expect(problems[0]).toMatch(expected)
  })

  test('a ledger cut off consistently', async () => {
    const { rows } = await ledger.owner.query<{ hash: Buffer }>('select hash from ledger.leaf where ix < 8 order by ix')
    const tree = appendLeaves(
      emptyTree,
      rows.map(({ hash }) => hash),
    )
    const hex = (bytes: Buffer) => `'\\x${bytes.toString('hex')}'`
    const { problems } = await reportAfter(
      `update ledger.head set size = 8, root = ${hex(rootOf(tree))}, frontier = array[${tree.frontier.map(hex)}]::bytea[],
         seq = ${entryOf(7)}, xid = (select xid from ledger.entry where seq = ${entryOf(7)})`,
      `delete from ledger.entry where seq > ${entryOf(7)}`,
      'delete from ledger.leaf where ix >= 8',
    )
    expect(problems).toEqual([
      `the ledger was rolled back to 8 entries: a checkpoint of 12 was signed (line 13 of ${ledger.checkpointsFile})`,
    ])
  })

  test('everything replaced: the report stays short', async () => {
    await ledger.append(200)
    await ledger.seal()
    const { problems } = await reportAfter("update ledger.entry set body = '{}'")
    expect(problems).toHaveLength(101)
    expect(problems.at(-1)).toBe('and 112 more problems')
    honestFile = await readFile(ledger.checkpointsFile)
  })

  test('entries that wait for their leaf are counted, not blamed', async () => {
    await ledger.append(2)
    expect(await verify()).toMatchObject({ unsealed: 2, problems: [], statements: [] })
    await ledger.seal()
    honestFile = await readFile(ledger.checkpointsFile)
  })
})

describe('verifying the checkpoints', () => {
  test('each byte counts', async () => {
    for (let at = 0; at < honestFile.length; at += 17) {
      const altered = Buffer.from(honestFile)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      await writeFile(ledger.checkpointsFile, altered)
      expect((await verify()).problems, `byte ${at}`).not.toEqual([])
    }
  })

  test('a bad signature is named by its line and the others still count', async () => {
    const { checkpoints } = await verify()
    await writeFile(ledger.checkpointsFile, honestFile.toString().replace('\n6\n', '\n7\n'))
    const report = await verify()
    expect(report.problems).toEqual([
      expect.stringMatching(
        /^the checkpoint on line 7 of .* cannot be trusted: The signature of .* does not fit the note$/,
      ),
    ])
    expect(report.checkpoints).toBe(checkpoints - 1)
  })

  test('half a checkpoint at the end', async () => {
    await writeFile(ledger.checkpointsFile, honestFile.subarray(0, -10))
    expect((await verify()).problems).toEqual([expect.stringMatching(/ends in half a checkpoint/)])
  })

  test('two signed roots of one size are a fork', async () => {
    await appendFile(
      ledger.checkpointsFile,
      `${signCheckpoint({ epoch: 0, size: 6, root: leafHash('x') }, ledger.key)}\n`,
    )
    expect((await verify()).problems).toContainEqual(
      expect.stringMatching(/^the ledger was forked: two roots of 6 entries were signed, on lines 7 and \d+$/),
    )
  })

  test('a file of another ledger', async () => {
    const { size, root } = await readHead(ledger.client)
    await writeFile(ledger.checkpointsFile, `${signCheckpoint({ epoch: 0, size, root }, createSigningKey())}\n`)
    expect((await verify()).problems).toEqual([
      expect.stringMatching(/cannot be trusted: The note bears no signature of/),
      expect.stringMatching(/^no checkpoint in .* vouches for the entries$/),
    ])
  })

  test('no file', async () => {
    const away = join(ledger.directory, 'away.log')
    await copyFile(ledger.checkpointsFile, away)
    await rm(ledger.checkpointsFile)
    expect((await verify()).problems).toEqual([expect.stringMatching(/^no checkpoint in .* vouches/)])
  })
})
