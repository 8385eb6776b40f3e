import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  appendLeaves,
  consistencyProof,
  emptyTree,
  type HashAt,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts'

/** RFC 6962 section 2.1, word for word. */
function naiveRoot(leaves: Buffer[]): Buffer {
  const [only] = leaves
  if (only === undefined) return rootOf(emptyTree)
  if (leaves.length === 1) return only
  const k = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1)
  return nodeHash(naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)))
}

function leavesOf(count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => leafHash(`entry ${index}`))
}

function readerOf(leaves: Buffer[]): HashAt {
  return async (level, index) => naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
}

const twoIndices = fc
  .integer({ min: 1, max: 130 })
  .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })))

describe('root', () => {
  test('is the one published with the reference implementation of RFC 6962', () => {
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    const leaves = inputs.map((hex) => leafHash(Buffer.from(hex, 'hex')))
    roots.forEach((root, size) => {
      expect(rootOf(appendLeaves(emptyTree, leaves.slice(0, size))).toString('hex')).toBe(root)
    })
  })

  test('is the same however the leaves are batched', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 }), (batches) => {
        let tree = emptyTree
        const leaves: Buffer[] = []
        for (const count of batches) {
          const batch = Array.from({ length: count }, (_, index) => leafHash(`${leaves.length + index}`))
          leaves.push(...batch)
          tree = appendLeaves(tree, batch)
        }
        expect(tree.size).toBe(leaves.length)
        expect(rootOf(tree)).toEqual(naiveRoot(leaves))
      }),
    )
  })

  test('refuses a frontier that does not fit the size', () => {
    const tree = appendLeaves(emptyTree, leavesOf(3))
    expect(() => rootOf({ size: 4, frontier: tree.frontier })).toThrow(/4 leaves has 1 subtree/)
    expect(() => appendLeaves({ size: 3, frontier: [] }, leavesOf(1))).toThrow(/too short/)
  })

  test('counts past 2^32', () => {
    const [a, b] = [leafHash('a'), leafHash('b')]
    const tree = appendLeaves({ size: 2 ** 40 + 1, frontier: [a, b] }, [a])
    expect(tree.size).toBe(2 ** 40 + 2)
    expect(rootOf(tree)).toEqual(nodeHash(a, nodeHash(b, a)))
  })
})

describe('inclusion proof', () => {
  test('convinces of its leaf and of no other claim', async () => {
    await fc.assert(
      fc.asyncProperty(twoIndices, fc.nat(), async ([size, index], other) => {
        const leaves = leavesOf(size)
        const root = naiveRoot(leaves)
        const proof = await inclusionProof(index, size, readerOf(leaves))
        const leaf = leafHash(`entry ${index}`)
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true)

        expect(verifyInclusion(leafHash('forged'), index, size, proof, root)).toBe(false)
        expect(verifyInclusion(leaf, index, size, proof, leafHash('other root'))).toBe(false)
        expect(verifyInclusion(leaf, index, size, [...proof, leaf], root)).toBe(false)
        expect(verifyInclusion(leaf, size, size, proof, root)).toBe(false)
        const wrong = other % size
        if (wrong !== index) expect(verifyInclusion(leaf, wrong, size, proof, root)).toBe(false)
        if (proof.length > 0) {
          expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(false)
          expect(verifyInclusion(leaf, index, size, proof.with(other % proof.length, leafHash('x')), root)).toBe(false)
        }
      }),
    )
  })

  test('reads perfect subtrees only', async () => {
    const leaves = leavesOf(23)
    const seen: string[] = []
    await inclusionProof(5, 23, async (level, index) => {
      seen.push(`${level}:${index}`)
      expect((index + 1) * 2 ** level).toBeLessThanOrEqual(23)
      return readerOf(leaves)(level, index)
    })
    expect(seen).toEqual(['0:4', '1:3', '2:0', '3:1', '2:4', '1:10', '0:22'])
  })
})

describe('consistency proof', () => {
  test('convinces of a prefix and of nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(twoIndices, fc.nat(), async ([size, oldSize], which) => {
        const leaves = leavesOf(size)
        const older = { size: oldSize, root: naiveRoot(leaves.slice(0, oldSize)) }
        const newer = { size, root: naiveRoot(leaves) }
        const proof = await consistencyProof(oldSize, size, readerOf(leaves))
        expect(verifyConsistency(older, newer, proof)).toBe(true)

        const forged = { size: oldSize, root: leafHash('forged') }
        expect(verifyConsistency(forged, newer, proof)).toBe(false)
        expect(verifyConsistency(older, { size, root: leafHash('forged') }, proof)).toBe(oldSize === 0)
        expect(verifyConsistency(older, newer, [...proof, newer.root])).toBe(false)
        if (proof.length > 0) {
          expect(verifyConsistency(older, newer, proof.with(which % proof.length, leafHash('x')))).toBe(false)
          expect(verifyConsistency(older, newer, proof.slice(1))).toBe(false)
        }
      }),
    )
  })

  test('of a tree with itself is empty', async () => {
    const root = naiveRoot(leavesOf(7))
    expect(await consistencyProof(7, 7, readerOf(leavesOf(7)))).toEqual([])
    expect(verifyConsistency({ size: 7, root }, { size: 7, root }, [])).toBe(true)
    expect(verifyConsistency({ size: 8, root }, { size: 7, root }, [])).toBe(false)
  })
})
