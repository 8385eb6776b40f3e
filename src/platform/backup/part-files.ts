import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { backupFailure } from './errors.ts'
import type { Part } from './manifest.ts'

/** Fast rather than small: what compresses well does so at any level. */
const gzipLevel = 3
const newline = 0x0a

/**
 * Writes a file of the backup, compressed when it is called `.gz`, and on the disk when this resolves. `lines` counts the
 * newlines that went in: COPY's text format has one for each row and no others.
 */
export async function writePart(
  directory: string,
  file: string,
  content: AsyncIterable<Uint8Array>,
): Promise<Part & { lines: number }> {
  const path = join(directory, file)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  let bytes = 0
  let lines = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) lines++
      done(null, chunk)
    },
  })
  const digest = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
  })
  const target = createWriteStream(path, { mode: 0o600, flags: 'wx', flush: true })
  if (file.endsWith('.gz')) await pipeline(content, count, createGzip({ level: gzipLevel }), digest, target)
  else await pipeline(content, count, digest, target)
  return { file, bytes, digest: `sha256:${hash.digest('hex')}`, lines }
}

/**
 * What was written with `writePart`. The last bytes come only after the whole file was found to be the one that was
 * written; before that it fails.
 *
 * @throws `backup_damaged`
 */
export async function* readPart(directory: string, part: Part): AsyncGenerator<Buffer> {
  const path = join(directory, part.file)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw backupFailure('backup_damaged', `${path} is missing`)
  if (found.size !== part.bytes) {
    throw backupFailure('backup_damaged', `${path} has ${found.size} bytes, ${part.bytes} were written`)
  }
  const hash = createHash('sha256')
  const digest = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
    flush(done) {
      const same = `sha256:${hash.digest('hex')}` === part.digest
      done(same ? null : backupFailure('backup_damaged', `${path} was changed: its digest is another`))
    },
  })
  const source = createReadStream(path)
  const plain = part.file.endsWith('.gz')
    ? createGunzip()
    : new Transform({ transform: (chunk, _, done) => done(null, chunk) })
  const piped = pipeline(source, digest, plain)
  // Whoever stops reading is told elsewhere.
  piped.catch(() => {})
  try {
    let held: Buffer | undefined
    for await (const chunk of plain) {
      if (held !== undefined) yield held
      held = chunk
    }
    await piped
    if (held !== undefined) yield held
  } catch (error) {
    await piped.catch((cause) => {
      throw asDamage(cause, path)
    })
    throw asDamage(error, path)
  } finally {
    source.destroy()
  }
}

/** A changed byte mostly breaks the compression before the digest can tell. */
function asDamage(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (!code.startsWith('Z_')) return error
  return backupFailure('backup_damaged', `${path} was changed: it cannot be decompressed`, { cause: error })
}

export async function readWhole(directory: string, part: Part): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of readPart(directory, part)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Lines that end at U+000A alone. */
export async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of content) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(newline)
    if (end >= 0) yield* bytes.toString('utf8', 0, end).split('\n')
    rest = bytes.subarray(end + 1)
  }
  if (rest.length > 0) yield rest.toString('utf8')
}

/** Makes the names in a directory survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
