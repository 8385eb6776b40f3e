import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EntryProof } from '../../platform/kernel/contract.ts'
import { signCheckpoint } from '../../platform/ledger/checkpoint.ts'
import {
  appendLeaves,
  consistencyProof,
  emptyTree,
  type HashAt,
  inclusionProof,
  leafHash,
  rootOf,
} from '../../platform/ledger/merkle.ts'
import { createSigningKey, formatVerifierKey } from '../../platform/ledger/signing-key.ts'
import { type SeenCheckpoint, verifyProof } from './verify-proof.ts'

// The ledger's own Merkle tree and signatures are the oracle.

const key = createSigningKey()
const bodyOf = (ix: number) => JSON.stringify({ id: `entry ${ix}`, operation: 'put-note', subjects: [] })
const shownOf = (ix: number) => ({ id: `entry ${ix}`, operation: 'put-note' })
const base64 = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64'))

const hashAt: HashAt = async (level, index) => treeOf((index + 1) * 2 ** level, index * 2 ** level)

function treeOf(end: number, start = 0): Buffer {
  const leaves = Array.from({ length: end - start }, (_, offset) => leafHash(bodyOf(start + offset)))
  return rootOf(appendLeaves(emptyTree, leaves))
}

async function proofOf(leaf: number, size: number, since?: number): Promise<EntryProof> {
  return {
    leaf,
    size,
    body: bodyOf(leaf),
    path: base64(await inclusionProof(leaf, size, hashAt)),
    checkpoint: signCheckpoint({ epoch: 0, size, root: treeOf(size) }, key),
    key: formatVerifierKey(key.verifier),
    consistency:
      since === undefined ? null : { from: since, path: base64(await consistencyProof(since, size, hashAt)) },
  }
}

async function seenAt(size: number): Promise<SeenCheckpoint> {
  const { seen } = await verifyProof(await proofOf(0, size), shownOf(0), undefined)
  if (seen === undefined) throw new Error('not verified')
  return seen
}

const failed = async (proof: EntryProof, ix: number, seen?: SeenCheckpoint) =>
  (await verifyProof(proof, shownOf(ix), seen)).checks.filter(({ holds }) => holds === false).map(({ name }) => name)

describe('a proof', () => {
  test('holds for every leaf of every tree, and continues every earlier one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), async (size, at, before) => {
        const [leaf, since] = [at % size, 1 + (before % size)]
        const verdict = await verifyProof(await proofOf(leaf, size, since), shownOf(leaf), await seenAt(since))
        expect(verdict.verified).toBe(true)
        expect(verdict.checks.every(({ holds }) => holds === true)).toBe(true)
        expect(verdict.seen?.size).toBe(size)
      }),
      { numRuns: 60 },
    )
  })

  test('fails where anything in it was changed', async () => {
    const proof = await proofOf(5, 21)
    const other = createSigningKey()
    const flipped = [...proof.path.slice(0, 1), ...base64([leafHash('x')]), ...proof.path.slice(2)]
    expect(await failed({ ...proof, body: bodyOf(6) }, 5)).toEqual(['entry', 'path'])
    expect(await failed({ ...proof, leaf: 4 }, 5)).toEqual(['path'])
    expect(await failed({ ...proof, size: 22 }, 5)).toEqual(['path'])
    expect(await failed({ ...proof, path: flipped }, 5)).toEqual(['path'])
    expect(await failed({ ...proof, path: proof.path.slice(1) }, 5)).toEqual(['path'])
    expect(await failed({ ...proof, key: formatVerifierKey(other.verifier) }, 5)).toEqual(['signature'])
    expect(await failed({ ...proof, key: 'nonsense' }, 5)).toEqual(['signature'])
    const resized = proof.checkpoint.replace('\n21\n', '\n20\n')
    expect(await failed({ ...proof, size: 20, checkpoint: resized }, 5)).toEqual(['signature'])
    expect(await failed({ ...proof, checkpoint: 'nonsense' }, 5)).toEqual(['path', 'signature'])
  })

  test('fails where the page shows something else than was hashed', async () => {
    const { checks } = await verifyProof(await proofOf(5, 21), { ...shownOf(5), operation: 'delete-note' }, undefined)
    expect(checks.find(({ name }) => name === 'entry')).toMatchObject({ holds: false })
  })

  test('fails where the ledger is shorter, or another, than the one seen before', async () => {
    const seen = await seenAt(30)
    expect(await failed(await proofOf(5, 21), 5, seen)).toEqual(['continuity'])
    const rewritten = { ...(await seenAt(10)), root: leafHash('another past').toString('base64') }
    expect(await failed(await proofOf(5, 21, 10), 5, rewritten)).toEqual(['continuity'])
    expect(await failed(await proofOf(5, 21), 5, await seenAt(10))).toEqual(['continuity'])
  })

  test('fails where the key is another than the one seen before', async () => {
    const seen = { ...(await seenAt(10)), key: formatVerifierKey(createSigningKey().verifier) }
    expect(await failed(await proofOf(5, 21, 10), 5, seen)).toEqual(['key'])
  })
})
