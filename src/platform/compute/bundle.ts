import { lstat, mkdir, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { dirname, join, matchesGlob, relative, sep } from 'node:path'
import { digestOf } from '../ids.ts'
import { isPlainPath } from '../names.ts'
import { computeFailure } from './compute.ts'

/** A directory as one tar (POSIX ustar), the same bytes on every machine: sorted names, no times, no owners. */
export interface Bundle {
  bytes: Buffer
  digest: string
  files: string[]
}

export interface BundleLimits {
  files: number
  bytes: number
}

const alwaysIgnored = ['node_modules', '.git', '.pave', '.venv', '__pycache__', '.DS_Store']

const defaultLimits: BundleLimits = { files: 10_000, bytes: 256 * 1024 * 1024 }
const block = 512

/**
 * Packs the files below `directory`, without empty directories; a link to a file inside is packed as that file. `ignore`
 * adds names, or patterns of names such as `*.test.ts`, that are left out at any depth.
 */
export async function packBundle(
  directory: string,
  options: { ignore?: readonly string[]; limits?: BundleLimits } = {},
): Promise<Bundle> {
  const { ignore = [], limits = defaultLimits } = options
  const root = await realpath(directory)
  const files = (await listFiles(root, '', [...alwaysIgnored, ...ignore])).sort(byBytes)
  if (files.length > limits.files) throw tooLarge(directory, `${files.length} files`, `${limits.files} files`)
  const parts: Buffer[] = []
  let size = 0
  for (const file of files) {
    const path = join(root, file)
    const { mode } = await stat(path)
    const content = await readFile(path)
    size += content.length
    if (size > limits.bytes) throw tooLarge(directory, `more than ${limits.bytes} bytes`, `${limits.bytes} bytes`)
    parts.push(header(file, content.length, (mode & 0o100) !== 0), content, Buffer.alloc(padding(content.length)))
  }
  const bytes = Buffer.concat([...parts, Buffer.alloc(2 * block)])
  return { bytes, digest: digestOf(bytes), files }
}

/** Unpacks into `directory`, which is made when missing; writes over nothing. Answers the names in the bundle's order. */
export async function unpackBundle(
  bundle: Uint8Array,
  directory: string,
  limits: BundleLimits = defaultLimits,
): Promise<string[]> {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength)
  if (bytes.length > limits.bytes + limits.files * 2 * block)
    throw tooLarge('It', `${bytes.length} bytes`, `${limits.bytes} bytes`)
  const entries = readEntries(bytes)
  if (entries.length > limits.files) throw tooLarge('It', `${entries.length} files`, `${limits.files} files`)
  for (const parent of new Set(['.', ...entries.map(({ name }) => dirname(name))]))
    await withoutClash(parent, mkdir(join(directory, parent), { recursive: true }))
  for (const { name, content, executable } of entries) {
    const mode = executable ? 0o755 : 0o644
    await withoutClash(name, writeFile(join(directory, name), content, { flag: 'wx', mode }))
  }
  return entries.map((entry) => entry.name)
}

/** A bundle of these files of another one alone. Throws `invalid_bundle` for a file that it does not hold. */
export function pickFromBundle(bundle: Uint8Array, names: readonly string[]): Bundle {
  const entries = readEntries(Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength))
  const files = [...new Set(names)].sort(byBytes)
  const parts = files.flatMap((file) => {
    const entry = entries.find(({ name }) => name === file)
    if (entry === undefined) throw computeFailure('invalid_bundle', `The code holds no file ${JSON.stringify(file)}`)
    const { content, executable } = entry
    return [header(file, content.length, executable), content, Buffer.alloc(padding(content.length))]
  })
  const bytes = Buffer.concat([...parts, Buffer.alloc(2 * block)])
  return { bytes, digest: digestOf(bytes), files }
}

async function listFiles(root: string, directory: string, ignore: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(join(root, directory), { withFileTypes: true })) {
    if (ignore.some((pattern) => matchesGlob(entry.name, pattern))) continue
    const name = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (entry.isDirectory()) found.push(...(await listFiles(root, name, ignore)))
    else if (entry.isFile() || (entry.isSymbolicLink() && (await isFileInside(root, name)))) found.push(name)
    else
      throw computeFailure(
        'invalid_bundle',
        `${JSON.stringify(name)} is neither a file nor a link to a file of the bundle`,
      )
  }
  return found
}

async function isFileInside(root: string, name: string): Promise<boolean> {
  const target = await realpath(join(root, name)).catch(() => undefined)
  if (target === undefined || relative(root, target).split(sep)[0] === '..') return false
  return (await lstat(target)).isFile()
}

function header(name: string, size: number, executable: boolean): Buffer {
  const [prefix, rest] = splitName(name)
  const bytes = Buffer.alloc(block)
  bytes.write(rest, 0, 100)
  bytes.write(executable ? '0000755\0' : '0000644\0', 100)
  bytes.write('0000000\0', 108)
  bytes.write('0000000\0', 116)
  bytes.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  bytes.write('00000000000\0', 136)
  bytes.write('0', 156)
  bytes.write('ustar\x0000', 257)
  bytes.write(prefix, 345, 155)
  bytes.write(`${checksum(bytes).toString(8).padStart(6, '0')}\0 `, 148)
  return bytes
}

/** ustar keeps a name as 155 bytes, a slash and 100 bytes. */
function splitName(name: string): [prefix: string, rest: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name]
  for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) {
    const [prefix, rest] = [name.slice(0, at), name.slice(at + 1)]
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100) return [prefix, rest]
  }
  throw computeFailure(
    'invalid_bundle',
    `The name ${JSON.stringify(name)} is too long: at most 100 bytes after at most 155`,
  )
}

interface Entry {
  name: string
  content: Buffer
  executable: boolean
}

function readEntries(bytes: Buffer): Entry[] {
  const entries: Entry[] = []
  let at = 0
  while (at + block <= bytes.length) {
    const head = bytes.subarray(at, at + block)
    at += block
    if (head.every((byte) => byte === 0)) return entries
    if (octal(head, 148, 8) !== checksum(head))
      throw computeFailure('invalid_bundle', `No tar header at byte ${at - block}`)
    const prefix = text(head, 345, 155)
    const name = prefix === '' ? text(head, 0, 100) : `${prefix}/${text(head, 0, 100)}`
    const type = String.fromCharCode(head[156] ?? 0)
    const size = octal(head, 124, 12)
    if (type === '5') continue
    if (type !== '0' && type !== '\0')
      throw computeFailure(
        'invalid_bundle',
        `${JSON.stringify(name)} is a tar entry of type ${JSON.stringify(type)}, not a file`,
      )
    if (!isPlainPath(name))
      throw computeFailure('invalid_bundle', `The name ${JSON.stringify(name)} could leave the directory`)
    if (at + size > bytes.length)
      throw computeFailure('invalid_bundle', `The bundle ends within ${JSON.stringify(name)}`)
    entries.push({ name, content: bytes.subarray(at, at + size), executable: (octal(head, 100, 8) & 0o100) !== 0 })
    at += size + padding(size)
  }
  throw computeFailure('invalid_bundle', 'The bundle ends without the two empty blocks that close a tar')
}

function text(bytes: Buffer, at: number, length: number): string {
  const field = bytes.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? length : end)
}

function octal(bytes: Buffer, at: number, length: number): number {
  const digits = text(bytes, at, length).trim()
  if (!/^[0-7]{0,12}$/.test(digits))
    throw computeFailure('invalid_bundle', 'A tar header holds a number that is not octal')
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

/** The sum of a header's bytes, its own field counted as spaces. */
function checksum(head: Buffer): number {
  return head.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0)
}

function padding(size: number): number {
  return (block - (size % block)) % block
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function tooLarge(what: string, found: string, allowed: string) {
  return computeFailure('invalid_bundle', `${what} holds ${found}; a bundle holds at most ${allowed}`, {
    hint: 'Bundle code only, and hand over data as an input of the step.',
  })
}

/** A file system tells by these codes that a name is taken. */
async function withoutClash(name: string, writing: Promise<unknown>): Promise<void> {
  try {
    await writing
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code !== 'EEXIST' && code !== 'EISDIR' && code !== 'ENOTDIR') throw error
    throw computeFailure(
      'invalid_bundle',
      `The bundle holds ${JSON.stringify(name)} twice, or as a file and a directory`,
    )
  }
}
