import { hash } from 'node:crypto'

/**
 * A Merkle tree hash after RFC 6962 section 2.1 (SHA-256), kept as its frontier: the roots of the perfect subtrees that
 * the binary digits of `size` name, largest first. Sizes and indices are whole numbers below 2^53.
 */
export interface Tree {
  size: number
  frontier: readonly Buffer[]
}

/** Root of the perfect subtree over leaves `index * 2^level` to `(index + 1) * 2^level - 1`. */
export type HashAt = (level: number, index: number) => Promise<Buffer>

export const emptyTree: Tree = { size: 0, frontier: [] }

const emptyRoot = sha256(Buffer.alloc(0))
const leafPrefix = Buffer.of(0x00)
const nodePrefix = Buffer.of(0x01)

export function leafHash(content: string | Uint8Array): Buffer {
  return sha256(Buffer.concat([leafPrefix, typeof content === 'string' ? Buffer.from(content) : content]))
}

export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.concat([nodePrefix, left, right], 65))
}

/** The tree with these leaf hashes added at its right; the given tree stays as it was. */
export function appendLeaves(tree: Tree, leafHashes: Iterable<Buffer>): Tree {
  const frontier = [...tree.frontier]
  let size = tree.size
  for (const leaf of leafHashes) {
    let root = leaf
    for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = frontier.pop()
      if (left === undefined) throw new RangeError(`The frontier is too short for a tree of ${tree.size} leaves`)
      root = nodeHash(left, root)
    }
    frontier.push(root)
    size += 1
  }
  return { size, frontier }
}

/** Throws a RangeError when the frontier has another number of subtrees than the size calls for. */
export function rootOf({ size, frontier }: Tree): Buffer {
  if (frontier.length !== subtreesOf(size)) {
    throw new RangeError(
      `A tree of ${size} leaves has ${subtreesOf(size)} subtrees in its frontier, not ${frontier.length}`,
    )
  }
  if (size === 0) return emptyRoot
  return frontier.reduceRight((right, left) => nodeHash(left, right))
}

/** The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 section 2.1.1), from the leaf upwards. */
export async function inclusionProof(index: number, size: number, hashAt: HashAt): Promise<Buffer[]> {
  if (index < 0 || index >= size) throw new RangeError(`There is no leaf ${index} in a tree of ${size}`)
  const path = async (start: number, end: number): Promise<Buffer[]> => {
    if (end - start === 1) return []
    const middle = start + leftSize(end - start)
    return index < middle
      ? [...(await path(start, middle)), await rangeRoot(middle, end, hashAt)]
      : [...(await path(middle, end)), await rangeRoot(start, middle, hashAt)]
  }
  return path(0, size)
}

/** Proves that the tree of `oldSize` leaves is a prefix of the tree of `size` leaves (RFC 6962 section 2.1.2). */
export async function consistencyProof(oldSize: number, size: number, hashAt: HashAt): Promise<Buffer[]> {
  if (oldSize < 0 || oldSize > size) throw new RangeError(`A tree of ${size} leaves has no prefix of ${oldSize}`)
  if (oldSize === 0) return []
  const subproof = async (start: number, end: number): Promise<Buffer[]> => {
    if (end === oldSize) return start === 0 ? [] : [await rangeRoot(start, end, hashAt)]
    const middle = start + leftSize(end - start)
    return oldSize <= middle
      ? [...(await subproof(start, middle)), await rangeRoot(middle, end, hashAt)]
      : [...(await subproof(middle, end)), await rangeRoot(start, middle, hashAt)]
  }
  return subproof(0, size)
}

/** Whether `proof` shows that `leaf` is leaf number `index` of the tree of `size` leaves with this root. */
export function verifyInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (index < 0 || index >= size) return false
  const rest = [...proof]
  const climb = (at: number, width: number): Buffer | undefined => {
    if (width === 1) return leaf
    const sibling = rest.pop()
    const left = leftSize(width)
    const inner = at < left ? climb(at, left) : climb(at - left, width - left)
    if (sibling === undefined || inner === undefined) return undefined
    return at < left ? nodeHash(inner, sibling) : nodeHash(sibling, inner)
  }
  const computed = climb(index, size)
  return computed !== undefined && rest.length === 0 && computed.equals(root)
}

/** Whether `proof` shows that the tree with the old root is a prefix of the tree with the new one. */
export function verifyConsistency(
  oldTree: { size: number; root: Buffer },
  newTree: { size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (oldTree.size < 0 || oldTree.size > newTree.size) return false
  if (oldTree.size === 0) return proof.length === 0 && oldTree.root.equals(emptyRoot)
  const rest = [...proof]
  const climb = (oldWidth: number, width: number, whole: boolean): { old: Buffer; new: Buffer } | undefined => {
    if (oldWidth === width) {
      const shared = whole ? oldTree.root : rest.pop()
      return shared && { old: shared, new: shared }
    }
    const sibling = rest.pop()
    const left = leftSize(width)
    const inner = oldWidth <= left ? climb(oldWidth, left, whole) : climb(oldWidth - left, width - left, false)
    if (sibling === undefined || inner === undefined) return undefined
    return oldWidth <= left
      ? { old: inner.old, new: nodeHash(inner.new, sibling) }
      : { old: nodeHash(sibling, inner.old), new: nodeHash(sibling, inner.new) }
  }
  const roots = climb(oldTree.size, newTree.size, true)
  return roots !== undefined && rest.length === 0 && roots.old.equals(oldTree.root) && roots.new.equals(newTree.root)
}

async function rangeRoot(start: number, end: number, hashAt: HashAt): Promise<Buffer> {
  const width = end - start
  const left = leftSize(width)
  if (width === 1 || left * 2 === width) return hashAt(Math.log2(width), start / width)
  const middle = start + left
  return nodeHash(await rangeRoot(start, middle, hashAt), await rangeRoot(middle, end, hashAt))
}

/** The largest power of two below `width`. */
function leftSize(width: number): number {
  let left = 1
  while (left * 2 < width) left *= 2
  return left
}

function subtreesOf(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}
