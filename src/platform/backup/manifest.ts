import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { PaveError } from '../errors.ts'
import { digestOf } from '../ids.ts'
import { openNote, signNote } from '../ledger/checkpoint.ts'
import { parseVerifierKey, type SigningKey, type VerifierKey } from '../ledger/signing-key.ts'
import { backupFailure } from './errors.ts'

/** A file of the backup, relative to its directory, as it lies there. */
export const Part = z.object({
  file: z.string().regex(/^[a-z0-9._-]+(\/[a-z0-9._-]+)?$/),
  bytes: z.int(),
  digest: z.string(),
})
export type Part = z.infer<typeof Part>

const Table = Part.extend({
  schema: z.string(),
  table: z.string(),
  columns: z.array(z.string()),
  rows: z.int(),
})
export type Table = z.infer<typeof Table>

/** What `manifest.json` says; it is written last, and `manifest.sig` is the ledger key's signature of it. */
export const Manifest = z.object({
  format: z.literal(1),
  backup: z.string(),
  pave: z.string(),
  postgres: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  /** Names of the migrations that were done, by schema. */
  migrations: z.record(z.string(), z.array(z.string())),
  tables: z.array(Table),
  sequences: z.array(
    z.object({ schema: z.string(), sequence: z.string(), lastValue: z.string(), isCalled: z.boolean() }),
  ),
  ledger: z.object({
    epoch: z.int(),
    /** Sealed entries, and their root in base64. */
    size: z.int(),
    root: z.string(),
    entries: z.int(),
    /** The verifier key, to read the backup with where nothing better is known. */
    key: z.string(),
    checkpoint: z.string(),
    checkpoints: Part,
  }),
  /** Signing keys and certificates. */
  keys: Part.extend({ files: z.int(), encrypted: z.boolean() }),
  /** One line `digest size` for each object of the store; the objects lie in `objects` beside the backup. */
  objects: Part.extend({ count: z.int(), totalBytes: z.int() }),
  /** One line `digest size path` for each file of the data directory; their bytes lie among the objects. */
  files: Part.extend({ count: z.int(), totalBytes: z.int() }),
  /** Online features; null where they are kept in a store of their own. */
  online: Part.extend({ entries: z.int() }).nullable(),
  /** What was wrong with the data while it was read. */
  problems: z.array(z.string()),
})
export type Manifest = z.infer<typeof Manifest>

const manifestFile = 'manifest.json'
const signatureFile = 'manifest.sig'
const unfinished = '.unfinished-'

/** Where a backup is written until it is whole. */
export const unfinishedName = (backup: string): string => `${unfinished}${backup}`
export const isUnfinished = (name: string): boolean => name.startsWith(unfinished)

/** The texts of both files. */
export function signManifest(manifest: Manifest, key: SigningKey): Array<{ file: string; text: string }> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`
  return [
    { file: signatureFile, text: signNote(`pave-backup\n${digestOf(text)}\n`, key) },
    { file: manifestFile, text },
  ]
}

/**
 * The manifest of a finished backup. Its signature is checked with `key`, and without one with the key that it names
 * itself, which finds damage but no forgery.
 *
 * @throws `backup_incomplete`, `backup_damaged`, `backup_too_new`
 */
export async function readManifest(directory: string, key?: VerifierKey): Promise<Manifest> {
  const [text, signature] = await Promise.all(
    [manifestFile, signatureFile].map((file) => readFile(join(directory, file), 'utf8').catch(() => undefined)),
  )
  if (text === undefined) throw backupFailure('backup_incomplete', `${directory} has no ${manifestFile}`)
  const written = parseJson(text, directory)
  const format = z.object({ format: z.number(), pave: z.string() }).safeParse(written).data
  if (format !== undefined && format.format > 1) {
    throw backupFailure('backup_too_new', `${directory} was made by Pave ${format.pave}, which writes other backups`)
  }
  const manifest = Manifest.safeParse(written).data
  if (manifest === undefined) throw damaged(directory, 'is not in the form of a manifest')
  try {
    const signed = openNote(signature ?? '', key ?? parseVerifierKey(manifest.ledger.key))
    if (signed !== `pave-backup\n${digestOf(text)}\n`) throw damaged(directory, 'is not the one that was signed')
  } catch (error) {
    if (error instanceof PaveError && error.code === 'backup_damaged') throw error
    throw damaged(directory, `has no good signature: ${error instanceof Error ? error.message : String(error)}`)
  }
  return manifest
}

/** The names of finished backups in a place, oldest first. */
export async function listBackups(place: string): Promise<string[]> {
  const found = await readdir(place, { withFileTypes: true }).catch(() => [])
  return found
    .filter((entry) => entry.isDirectory() && /^\d{4}-\d\d-\d\dT[\d.-]+Z$/.test(entry.name))
    .map(({ name }) => name)
    .sort()
}

/** The directory of a backup, given that or the place where it lies; of a place, the newest. */
export async function findBackup(path: string): Promise<string> {
  const newest = (await listBackups(path)).at(-1)
  return newest === undefined ? path : join(path, newest)
}

function parseJson(text: string, directory: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw damaged(directory, 'is no JSON')
  }
}

function damaged(directory: string, how: string) {
  return backupFailure('backup_damaged', `${join(directory, manifestFile)} ${how}`)
}
