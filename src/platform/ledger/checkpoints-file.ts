import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Checkpoint, openCheckpoint, type SignedState, signCheckpoint } from './checkpoint.ts'
import { ledgerFailure } from './ledger-errors.ts'
import type { SigningKey, VerifierKey } from './signing-key.ts'

/** A signed note and the line of the file that it starts on. */
export interface NoteInFile {
  line: number
  note: string
}

/** Larger than any record, whose parts are an origin, a number, a hash and a few signatures. */
const largestRecord = 4096

/**
 * The records of a checkpoints file, oldest first: signed notes, each closed by a blank line. `rest` is what stands
 * behind the last whole record: nothing, or a record torn by a crash.
 */
export function splitCheckpoints(text: string): { notes: NoteInFile[]; rest: string } {
  const notes: NoteInFile[] = []
  let line = 1
  let start = 0
  for (const { index } of text.matchAll(/(?<=\n\n— [^\n]+\n(?:— [^\n]+\n)*)\n/g)) {
    const note = text.slice(start, index)
    notes.push({ line, note })
    line += note.split('\n').length
    start = index + 1
  }
  return { notes, rest: text.slice(start) }
}

/** Everything in the file; nothing when it does not exist. */
export async function readCheckpoints(path: string): Promise<{ notes: NoteInFile[]; rest: string }> {
  const file = await openFile(path, constants.O_RDONLY)
  if (file === undefined) return { notes: [], rest: '' }
  try {
    return splitCheckpoints(await file.readFile('utf8'))
  } finally {
    await file.close()
  }
}

/** The checkpoint exported last, or undefined before the first. @throws `checkpoint_invalid` */
export async function lastCheckpoint(path: string, key: VerifierKey): Promise<Checkpoint | undefined> {
  const file = await openFile(path, constants.O_RDONLY)
  if (file === undefined) return undefined
  try {
    const { note } = await readEnd(file, path)
    return note === undefined ? undefined : openCheckpoint(note, key)
  } finally {
    await file.close()
  }
}

/** Signs the tree head and appends it; on disk when this resolves. A record torn by an earlier crash is cut off. */
export async function appendCheckpoint(path: string, head: SignedState, key: SigningKey): Promise<void> {
  await appendNotes(path, [signCheckpoint(head, key)])
}

/** Appends notes that were signed already; on disk when this resolves. */
export async function appendNotes(path: string, notes: readonly string[]): Promise<void> {
  const file = (await openFile(path, constants.O_RDWR)) ?? (await createFile(path))
  try {
    const { end } = await readEnd(file, path)
    await file.truncate(end)
    await file.write(notes.map((note) => `${note}\n`).join(''), end)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** The last whole note and the offset behind it. Refuses a file whose end is neither a record nor a torn one. */
async function readEnd(file: FileHandle, path: string): Promise<{ note: string | undefined; end: number }> {
  const { size } = await file.stat()
  const start = Math.max(0, size - 3 * largestRecord)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
  const { notes, rest } = splitCheckpoints(buffer.toString('utf8', 0, bytesRead))
  const torn = Buffer.byteLength(rest)
  if (torn > largestRecord) {
    throw ledgerFailure('checkpoint_invalid', `${path} does not end in a checkpoint`)
  }
  return { note: notes.at(-1)?.note, end: size - torn }
}

async function createFile(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true })
  const file = await open(path, 'wx+', 0o644)
  const directory = await open(dirname(path), constants.O_RDONLY)
  await directory.sync()
  await directory.close()
  return file
}

async function openFile(path: string, flags: number): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
