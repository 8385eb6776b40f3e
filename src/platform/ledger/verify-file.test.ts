import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LedgerReport } from './audit.ts'
import { signCheckpoint } from './checkpoint.ts'
import { exportLedger } from './export.ts'
import { openTestLedger, type TestLedger } from './fixture.ts'
import { leafHash } from './merkle.ts'
import { createSigningKey } from './signing-key.ts'
import { verifyLedgerFile } from './verify-file.ts'

let ledger: TestLedger
let honest: string
let entriesFile: string

beforeAll(async () => {
  ledger = await openTestLedger()
  for (const count of [5, 1, 6]) {
    await ledger.append(count)
    await ledger.seal()
  }
  entriesFile = join(ledger.directory, 'ledger.ndjson')
  expect(await exportLedger({ client: ledger.client, path: entriesFile, key: ledger.key })).toBe(12)
  honest = await readFile(entriesFile, 'utf8')
})
afterAll(() => ledger.drop())

async function reportOf(text: string | Buffer): Promise<LedgerReport & { newer: number }> {
  await writeFile(entriesFile, text)
  const { checkpointsFile, key } = ledger
  return verifyLedgerFile({ entriesFile, checkpointsFile, publicKey: key.verifier })
}

const textOf = (kept: (string | undefined)[]) => kept.map((line) => `${line}\n`).join('')

describe('verifying an exported ledger', () => {
  test('finds nothing wrong with an honest one', async () => {
    expect(await reportOf(honest)).toEqual({
      entries: 12,
      verified: 12,
      checkpoints: 3,
      newer: 0,
      problems: [],
      statements: [],
    })
  })

  test('any byte altered', async () => {
    const bytes = Buffer.from(honest)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const altered = Buffer.from(bytes)
        altered.writeUInt8(altered.readUInt8(at) ^ flip, at)
        expect((await reportOf(altered)).problems).not.toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  test.each<[string, (lines: string[]) => (string | undefined)[], (string | RegExp)[]]>([
    [
      'an entry altered',
      (lines) => lines.with(7, lines[7]?.replace('register', 'REGISTER') ?? ''),
      ['leaf 7 was altered: its entry does not hash to it'],
    ],
    [
      'an entry altered together with its hash',
      (lines) => lines.with(7, JSON.stringify({ ix: 7, hash: leafHash('x').toString('base64'), body: 'x' })),
      [/^leaves 6 to 11 are not those that the checkpoint of 12/, /^the 12 entries are not those that the closing/],
    ],
    ['truncated', (lines) => lines.slice(0, 9), [/was truncated after 9 entries: it has no closing checkpoint$/]],
    [
      'truncated before its closing checkpoint',
      (lines) => [...lines.slice(0, 9), lines.at(-1)],
      ['the closing checkpoint is of 12 entries, the file has 9'],
    ],
    [
      'a line removed',
      (lines) => lines.toSpliced(4, 1),
      ['leaf 4 is missing', /^leaves 0 to 4/, /closing checkpoint is of 12/],
    ],
    [
      'lines that changed places',
      (lines) => lines.with(4, lines[5] ?? '').with(5, lines[4] ?? ''),
      ['leaf 4 is missing', /^leaves 0 to 4/, 'leaf 4 is out of order: it stands behind leaf 5', /^the 12 entries/],
    ],
    [
      'a line doubled',
      (lines) => lines.toSpliced(4, 0, lines[4] ?? ''),
      [
        'leaf 4 is out of order: it stands behind leaf 4',
        /^leaves 5 to 5 are not those/,
        /closing checkpoint is of 12/,
      ],
    ],
    [
      'a line that is none',
      (lines) => lines.with(4, '{"ix":4}'),
      [
        /^line 5 of .* is not a line of an exported ledger$/,
        'leaf 4 is missing',
        /^leaves 0 to 4/,
        /closing checkpoint is of 12/,
      ],
    ],
    ['more behind the end', (lines) => [...lines, lines[0]], [/^line 14 of .* stands behind the closing checkpoint$/]],
    ['nothing', () => [], [/was truncated after 0 entries/]],
  ])('%s', async (_, tamper, expected) => {
    const { problems } = await reportOf(textOf(tamper(honest.split('\n').slice(0, -1))))
    expected.forEach((problem, index) => {
      expect(problems[index]).toMatch(problem)
    })
    expect(problems).toHaveLength(expected.length)
  })

  test('a closing checkpoint that another key signed', async () => {
    const checkpoint = signCheckpoint({ epoch: 0, size: 12, root: leafHash('x') }, createSigningKey())
    const { problems } = await reportOf(textOf([...honest.split('\n').slice(0, 12), JSON.stringify({ checkpoint })]))
    expect(problems).toEqual([
      expect.stringMatching(/^the closing checkpoint cannot be trusted: The note bears no signature/),
    ])
  })

  test('an old export is still good when the ledger has grown', async () => {
    await ledger.append(3)
    await ledger.seal()
    expect(await reportOf(honest)).toMatchObject({
      entries: 12,
      checkpoints: 3,
      newer: 1,
      problems: [],
      statements: [],
    })
  })

  test('a ledger rewritten as a whole and signed again disagrees with what was signed before', async () => {
    const other = await openTestLedger()
    await other.append(2)
    await other.seal()
    const path = join(other.directory, 'forged.ndjson')
    await exportLedger({ client: other.client, path, key: ledger.key })
    const checkpointsFile = join(other.directory, 'signed-before.log')
    await writeFile(
      checkpointsFile,
      `${signCheckpoint({ epoch: 0, size: 1, root: leafHash('the first entry') }, ledger.key)}\n`,
    )
    const report = await verifyLedgerFile({ entriesFile: path, checkpointsFile, publicKey: ledger.key.verifier })
    await other.drop()
    expect(report.problems).toEqual([
      expect.stringMatching(/^leaves 0 to 0 are not those that the checkpoint of 1 entries/),
    ])
  })
})

describe('exporting', () => {
  test('signs nothing and leaves no file when the entries are not what was sealed', async () => {
    const path = join(ledger.directory, 'damaged.ndjson')
    await ledger.owner.query(
      "update ledger.entry set body = body || ' ' where seq = (select seq from ledger.leaf where ix = 2)",
    )
    await expect(exportLedger({ client: ledger.client, path, key: ledger.key })).rejects.toMatchObject({
      code: 'ledger_forked',
    })
    expect(await readdir(ledger.directory)).not.toContainEqual(expect.stringContaining('damaged'))
  })
})
