import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCheckpoint } from './checkpoint.ts'
import { splitCheckpoints } from './checkpoints-file.ts'
import { openTestLedger, type TestLedger } from './fixture.ts'
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.ts'
import { proveConsistency, proveEntry } from './prove.ts'

let ledger: TestLedger
let signed: { size: number; root: Buffer }[]

beforeAll(async () => {
  ledger = await openTestLedger()
  for (const count of [5, 1, 6]) {
    await ledger.append(count)
    await ledger.seal()
  }
  const { notes } = splitCheckpoints(await readFile(ledger.checkpointsFile, 'utf8'))
  signed = notes.map(({ note }) => openCheckpoint(note, ledger.key.verifier))
})
afterAll(() => ledger.drop())

const bytesOf = (hashes: string[]) => hashes.map((hash) => Buffer.from(hash, 'base64'))

describe('proofs', () => {
  test('show that each entry is under every checkpoint signed after it', async () => {
    expect(signed.map(({ size }) => size)).toEqual([5, 6, 12])
    for (const { size, root } of signed) {
      for (let ix = 0; ix < size; ix += 1) {
        const { body, path } = await proveEntry(ledger.client, ix, size)
        expect(verifyInclusion(leafHash(body), ix, size, bytesOf(path), root)).toBe(true)
        expect(verifyInclusion(leafHash(`${body} `), ix, size, bytesOf(path), root)).toBe(false)
      }
    }
  })

  test('show that each checkpoint continues the ones before', async () => {
    for (const older of signed) {
      for (const newer of signed.filter(({ size }) => size >= older.size)) {
        const proof = bytesOf(await proveConsistency(ledger.client, older.size, newer.size))
        expect(verifyConsistency(older, newer, proof)).toBe(true)
        expect(verifyConsistency({ ...older, root: leafHash('x') }, newer, proof)).toBe(false)
      }
    }
  })

  test('are refused for what is not sealed', async () => {
    const missing = expect.objectContaining({ code: 'leaf_not_found' })
    await expect(proveEntry(ledger.client, 12, 12)).rejects.toEqual(missing)
    await expect(proveEntry(ledger.client, 7, 6)).rejects.toEqual(missing)
    await expect(proveEntry(ledger.client, 3, 13)).rejects.toEqual(missing)
    await expect(proveConsistency(ledger.client, 13, 12)).rejects.toEqual(missing)
  })
})
