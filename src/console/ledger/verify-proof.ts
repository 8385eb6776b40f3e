import type { EntryProof } from '../../platform/kernel/contract.ts'

// What `pave ledger verify --proof` does, with the browser's own cryptography: RFC 6962 hashes, a checkpoint in the C2SP
// signed-note format, an Ed25519 key.

/** A checkpoint that was verified before; the next one must continue it. */
export interface SeenCheckpoint {
  origin: string
  size: number
  root: string
  key: string
}

export interface Check {
  name: 'entry' | 'path' | 'signature' | 'key' | 'continuity'
  /** Undefined where there was nothing to check. */
  holds: boolean | undefined
  /** What was found, in a sentence. */
  found: string
}

export interface Verdict {
  verified: boolean
  checks: readonly Check[]
  /** To be remembered when everything holds. */
  seen: SeenCheckpoint | undefined
}

/** `shown` are the fields that the page shows of the entry: they must be those that were hashed. */
export async function verifyProof(
  proof: EntryProof,
  shown: Readonly<Record<string, unknown>>,
  seen: SeenCheckpoint | undefined,
): Promise<Verdict> {
  const note = readNote(proof.checkpoint)
  const key = await readKey(proof.key)
  const checks: Check[] = [
    checkEntry(proof, shown),
    await checkPath(proof, note),
    await checkSignature(note, key),
    checkKey(proof.key, seen),
    await checkContinuity(proof, note, seen),
  ]
  const verified = checks.every(({ holds }) => holds !== false)
  return {
    verified,
    checks,
    seen:
      verified && note !== undefined
        ? { origin: note.origin, size: note.size, root: encode(note.root), key: proof.key }
        : undefined,
  }
}

function checkEntry({ body }: EntryProof, shown: Readonly<Record<string, unknown>>): Check {
  const said: unknown = parse(body)
  const differs = Object.entries(shown).filter(
    ([name, value]) => JSON.stringify(sorted(value)) !== JSON.stringify(sorted(fieldOf(said, name))),
  )
  return differs.length === 0
    ? { name: 'entry', holds: true, found: 'What this page shows is what the hash was made of.' }
    : { name: 'entry', holds: false, found: `The page shows another ${differs.map(([name]) => name).join(', ')}.` }
}

async function checkPath(proof: EntryProof, note: Note | undefined): Promise<Check> {
  const fails = (found: string): Check => ({ name: 'path', holds: false, found })
  if (note === undefined) return fails('The checkpoint cannot be read.')
  if (note.size !== proof.size) return fails(`The checkpoint is of ${note.size} entries, the path of ${proof.size}.`)
  const leaf = await sha256(Uint8Array.of(0), new TextEncoder().encode(proof.body))
  const root = await climb(leaf, proof.leaf, proof.size, proof.path.map(decode))
  return root !== undefined && equal(root, note.root)
    ? { name: 'path', holds: true, found: `${proof.path.length} hashes lead from the entry to the signed root.` }
    : fails('The hashes do not lead from this entry to the signed root.')
}

async function checkSignature(note: Note | undefined, key: Key | undefined): Promise<Check> {
  const fails = (found: string): Check => ({ name: 'signature', holds: false, found })
  if (note === undefined) return fails('The checkpoint cannot be read.')
  if (key === undefined) return fails('The published key cannot be read, or its fingerprint is not its own.')
  const signature = note.signatures.find(({ name, id }) => name === key.name && equal(id, key.id))
  const origin = note.origin.replace(/\/epoch-[1-9]\d{0,15}$/, '')
  if (signature === undefined || origin !== key.name) return fails('The checkpoint bears no signature of this key.')
  const imported = await crypto.subtle.importKey('raw', key.bytes, 'Ed25519', false, ['verify'])
  const good = await crypto.subtle.verify('Ed25519', imported, signature.bytes, new TextEncoder().encode(note.text))
  return good
    ? { name: 'signature', holds: true, found: `Signed by ${key.name}.` }
    : fails(`The signature of ${key.name} does not fit the checkpoint.`)
}

function checkKey(key: string, seen: SeenCheckpoint | undefined): Check {
  if (seen === undefined) {
    return { name: 'key', holds: undefined, found: 'This browser sees the key for the first time and remembers it.' }
  }
  return seen.key === key
    ? { name: 'key', holds: true, found: 'The key is the one that this browser saw before.' }
    : { name: 'key', holds: false, found: 'The key is another than the one that this browser saw before.' }
}

async function checkContinuity(
  proof: EntryProof,
  note: Note | undefined,
  seen: SeenCheckpoint | undefined,
): Promise<Check> {
  const name = 'continuity'
  if (note === undefined || seen === undefined) {
    return { name, holds: undefined, found: 'This browser has seen no earlier checkpoint to compare with.' }
  }
  if (seen.origin !== note.origin) {
    return {
      name,
      holds: undefined,
      found: 'The ledger began anew when a backup was restored, so there is nothing to compare.',
    }
  }
  if (seen.size > note.size) {
    const found = `This browser saw a ledger of ${seen.size} entries; now it has ${note.size}. Entries are missing.`
    return { name, holds: false, found }
  }
  const continues =
    proof.consistency?.from === seen.size &&
    (await isContinued(
      { size: seen.size, root: decode(seen.root) },
      { size: note.size, root: note.root },
      proof.consistency.path.map(decode),
    ))
  return continues
    ? {
        name,
        holds: true,
        found: `All ${seen.size} entries that this browser saw signed before are still in it, unchanged.`,
      }
    : { name, holds: false, found: 'The ledger is not a continuation of the one that this browser saw before.' }
}

type Bytes = Uint8Array<ArrayBuffer>

interface Note {
  text: string
  origin: string
  size: number
  root: Bytes
  signatures: { name: string; id: Bytes; bytes: Bytes }[]
}

function readNote(note: string): Note | undefined {
  const end = note.lastIndexOf('\n\n') + 1
  const text = note.slice(0, end)
  const [, origin, size, root] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text) ?? []
  if (origin === undefined || size === undefined || root === undefined) return undefined
  const signatures = [...note.slice(end + 1).matchAll(/^— ([^\s+]+) ([A-Za-z0-9+/]+=*)$/gm)].map(
    ([, name = '', text = '']) => {
      const bytes = decode(text)
      return { name, id: bytes.slice(0, 4), bytes: bytes.slice(4) }
    },
  )
  return { text, origin, size: Number(size), root: decode(root), signatures }
}

interface Key {
  name: string
  id: Bytes
  bytes: Bytes
}

/** `name+hash+base64(0x01 ‖ key)`; undefined unless the hash belongs to the name and the key. */
async function readKey(line: string): Promise<Key | undefined> {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line) ?? []
  const typed = decode(encoded ?? '')
  if (name === undefined || id === undefined || typed.length !== 33 || typed[0] !== 1) return undefined
  const computed = (await sha256(new TextEncoder().encode(`${name}\n`), typed)).slice(0, 4)
  return hex(computed) === id ? { name, id: computed, bytes: typed.slice(1) } : undefined
}

/** The root to which an audit path leads; undefined when it is too short or too long. */
async function climb(leaf: Bytes, index: number, size: number, path: readonly Bytes[]): Promise<Bytes | undefined> {
  if (index < 0 || index >= size) return undefined
  const rest = [...path]
  const up = async (at: number, width: number): Promise<Bytes | undefined> => {
    if (width === 1) return leaf
    const sibling = rest.pop()
    const left = leftSize(width)
    const inner = at < left ? await up(at, left) : await up(at - left, width - left)
    if (sibling === undefined || inner === undefined) return undefined
    return at < left ? node(inner, sibling) : node(sibling, inner)
  }
  const root = await up(index, size)
  return rest.length === 0 ? root : undefined
}

interface Head {
  size: number
  root: Bytes
}

async function isContinued(before: Head, now: Head, proof: readonly Bytes[]): Promise<boolean> {
  if (before.size === 0) return proof.length === 0
  const rest = [...proof]
  const up = async (
    oldWidth: number,
    width: number,
    whole: boolean,
  ): Promise<{ old: Bytes; new: Bytes } | undefined> => {
    if (oldWidth === width) {
      const shared = whole ? before.root : rest.pop()
      return shared && { old: shared, new: shared }
    }
    const sibling = rest.pop()
    const left = leftSize(width)
    const inner = oldWidth <= left ? await up(oldWidth, left, whole) : await up(oldWidth - left, width - left, false)
    if (sibling === undefined || inner === undefined) return undefined
    return oldWidth <= left
      ? { old: inner.old, new: await node(inner.new, sibling) }
      : { old: await node(sibling, inner.old), new: await node(sibling, inner.new) }
  }
  const roots = await up(before.size, now.size, true)
  return roots !== undefined && rest.length === 0 && equal(roots.old, before.root) && equal(roots.new, now.root)
}

/** The largest power of two below `width`. */
function leftSize(width: number): number {
  let left = 1
  while (left * 2 < width) left *= 2
  return left
}

const node = (left: Bytes, right: Bytes) => sha256(Uint8Array.of(1), left, right)

async function sha256(...parts: readonly Bytes[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', await new Blob([...parts]).arrayBuffer()))
}

function decode(base64: string): Bytes {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return new Uint8Array()
  }
}

const encode = (bytes: Bytes) => btoa(String.fromCharCode(...bytes))

const hex = (bytes: Bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const equal = (a: Bytes, b: Bytes) => a.length === b.length && a.every((byte, index) => byte === b[index])

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined

/** With the fields of every object in one order, as canonical JSON has them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  )
}
