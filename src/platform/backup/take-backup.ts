import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PoolClient } from 'pg'
import type { Clock } from '../clock.ts'
import { openDataDirectory } from '../data-directory.ts'
import { PaveError } from '../errors.ts'
import { signCheckpoint } from '../ledger/checkpoint.ts'
import { readCheckpoints } from '../ledger/checkpoints-file.ts'
import { readHead } from '../ledger/leaves.ts'
import { formatVerifierKey, loadSigningKey } from '../ledger/signing-key.ts'
import { openPool } from '../storage/database/database.ts'
import type { ObjectStore, StoredObject } from '../storage/objects/object-store.ts'
import { openObjectStore } from '../storage/objects/open-object-store.ts'
import { dumpLmdb } from '../storage/online/lmdb-dump.ts'
import { auditLedger } from './audit-ledger.ts'
import { copyObjects, fileLineOf, keepFiles, lineOf, type StoredFile } from './copy-objects.ts'
import { dumpTables, readMigrations, readSequences, setPortable } from './dump-database.ts'
import { backupFailure } from './errors.ts'
import { isUnfinished, type Manifest, signManifest, unfinishedName } from './manifest.ts'
import { encodePairs } from './online-part.ts'
import { syncDirectory, writePart } from './part-files.ts'
import { readKeys, sealKeys } from './seal-keys.ts'

/** Smaller tables are not worth a line of progress. */
export const manyRows = 10_000

export interface BackupOptions {
  /** PostgreSQL itself: a login that may become the owner. */
  databaseUrl: string
  dataDir: string
  /** Where the ledger's checkpoints are. */
  checkpointsFile: string
  objects: ObjectStore
  onlineUrl: string
  /** A directory that backups share, and with them the copies of objects. */
  place: string
  /** Of the keys; undefined leaves them readable. */
  passphrase: string | undefined
  /** Names of the migrations that this Pave knows, by schema in their order. */
  known: Record<string, readonly string[]>
  /** A query that answers the `path` of each file below the data directory that the database speaks of. */
  filesQuery: string
  pave: string
  clock: Clock
  onProgress: (text: string) => void
}

export interface TakenBackup {
  directory: string
  manifest: Manifest
  /** Objects that an earlier backup had copied to this place already. */
  reused: number
}

/**
 * Copies everything that cannot be made again, as of one moment, while Pave goes on: first the database in one snapshot,
 * then what its rows speak of, which is never written after them. The directory has its name only when it is whole.
 *
 * @throws `backup_place_in_use`, `backup_too_new`
 */
export async function takeBackup(options: BackupOptions): Promise<TakenBackup> {
  const { place, clock } = options
  const held = await holdPlace(place)
  try {
    for (const name of await readdir(place)) {
      if (isUnfinished(name)) await rm(join(place, name), { recursive: true, force: true })
    }
    const startedAt = clock.iso()
    const backup = startedAt.replaceAll(':', '-')
    const directory = join(place, unfinishedName(backup))
    await mkdir(directory, { mode: 0o700 })
    const { manifest, reused } = await write(options, { backup, directory, startedAt })
    await rename(directory, join(place, backup))
    await syncDirectory(place)
    return { directory: join(place, backup), manifest, reused }
  } finally {
    await held.release()
  }
}

/** The objects that the backups in a place share. */
export function placeObjects(place: string): Promise<ObjectStore> {
  const directory = join(place, 'objects')
  return openObjectStore(pathToFileURL(directory).href, { cacheDirectory: directory })
}

export async function holdPlace(place: string) {
  try {
    return await openDataDirectory(place, { command: 'pave backup' })
  } catch (error) {
    if (!(error instanceof PaveError) || error.code !== 'data_directory_in_use') throw error
    throw backupFailure('backup_place_in_use', error.message, { cause: error })
  }
}

async function write(
  options: BackupOptions,
  { backup, directory, startedAt }: { backup: string; directory: string; startedAt: string },
): Promise<{ manifest: Manifest; reused: number }> {
  const { dataDir, place, clock, onProgress } = options
  const problems: string[] = []
  // Before the snapshot: a checkpoint exported later could be of more entries than the snapshot has.
  const checkpoints = await writeCheckpoints(options, directory)
  const database = await readDatabase(options, directory)

  const store = await placeObjects(place)
  onProgress(`${database.paths.length} files of predictions`)
  const files = await keepFiles(dataDir, database.paths, store)
  for (const path of files.missing) problems.push(`the file ${path} is missing from the data directory`)
  const copied = await copyAll(options, store)
  for (const { digest, code } of copied.lost) {
    problems.push(`the object ${digest} ${code === 'object_corrupt' ? 'is damaged' : 'vanished while it was copied'}`)
  }
  const online = await writeOnline(options, directory)
  const keys = await readKeys(dataDir)
  const sealed = await sealKeys(keys, options.passphrase)

  onProgress('checking the ledger')
  const key = await loadSigningKey(dataDir)
  const { head } = database
  const ledger = { size: head.size, root: head.root.toString('base64'), checkpoints }
  const audit = await auditLedger({ directory, manifest: { tables: database.tables, ledger }, key: key.verifier })
  problems.push(...audit.problems)

  const manifest: Manifest = {
    format: 1,
    backup,
    pave: options.pave,
    postgres: database.postgres,
    startedAt,
    finishedAt: clock.iso(),
    migrations: database.migrations,
    tables: database.tables,
    sequences: database.sequences,
    ledger: {
      ...ledger,
      epoch: head.epoch,
      entries: database.tables.find(({ schema, table }) => `${schema}.${table}` === 'ledger.entry')?.rows ?? 0,
      key: formatVerifierKey(key.verifier),
      // What does not hold together is kept, and not vouched for.
      checkpoint: audit.problems.length === 0 ? signCheckpoint(head, key) : '',
    },
    keys: {
      ...(await writeLines(directory, 'keys.json', [sealed])),
      files: Object.keys(keys).length,
      encrypted: options.passphrase !== undefined,
    },
    objects: {
      ...(await writeLines(directory, 'objects.txt.gz', copied.objects.map(lineOf))),
      ...totalOf(copied.objects),
    },
    files: { ...(await writeLines(directory, 'files.txt.gz', files.kept.map(fileLineOf))), ...totalOf(files.kept) },
    online,
    problems,
  }
  await syncDirectory(join(directory, 'tables'))
  for (const { file, text } of signManifest(manifest, key)) await writeText(join(directory, file), text)
  await syncDirectory(directory)
  return { manifest, reused: copied.reused }
}

/** Everything that is read from the database, in one snapshot that holds up nobody: not even sealing. */
async function readDatabase({ databaseUrl, known, filesQuery, onProgress }: BackupOptions, directory: string) {
  const pool = openPool(databaseUrl, 'pave_owner', { max: 1, onError: () => {}, applicationName: 'pave backup' })
  try {
    const client = await pool.connect()
    try {
      await client.query('begin isolation level repeatable read read only')
      await setPortable(client)
      const migrations = await readMigrations(client, known)
      const schemas = schemasOf(migrations)
      const { rows } = await client.query<{ path: string }>(filesQuery)
      const head = await readHead(client)
      let bytes = 0
      onProgress('the database')
      const tables = await dumpTables(client, schemas, directory, (table) => {
        bytes += table.bytes
        if (table.rows < manyRows) return
        onProgress(`${table.schema}.${table.table}: ${table.rows} rows (${mebibytes(bytes)} so far)`)
      })
      const sequences = await readSequences(client, schemas)
      const postgres = await versionOf(client)
      await client.query('commit')
      return { migrations, head, tables, sequences, postgres, paths: rows.map(({ path }) => path) }
    } finally {
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}

/** The ledger's tables have a schema of their own beside that of the kernel's migrations. */
function schemasOf(migrations: Record<string, readonly string[]>): string[] {
  return [...Object.keys(migrations).filter((schema) => schema !== 'ledger'), 'ledger']
}

async function versionOf(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ version: string }>("select current_setting('server_version') as version")
  return rows[0]?.version ?? 'unknown'
}

async function copyAll({ objects, onProgress }: BackupOptions, store: ObjectStore) {
  const listed: StoredObject[] = []
  for await (const object of objects.list()) listed.push(object)
  let reused = 0
  const fresh: StoredObject[] = []
  for (const object of listed) {
    if ((await store.stat(object.digest))?.size === object.size) reused++
    else fresh.push(object)
  }
  onProgress(`${fresh.length} new objects of ${listed.length}`)
  let done = 0
  let bytes = 0
  const lost = await copyObjects(fresh, objects, store, ({ size }) => {
    bytes += size
    if (++done % 1000 === 0) onProgress(`${done} of ${fresh.length} objects, ${mebibytes(bytes)}`)
  })
  const gone = new Set(lost.map(({ digest }) => digest))
  const kept = listed.filter(({ digest }) => !gone.has(digest)).sort((a, b) => (a.digest < b.digest ? -1 : 1))
  return { objects: kept, lost, reused }
}

async function writeOnline({ onlineUrl, onProgress }: BackupOptions, directory: string): Promise<Manifest['online']> {
  if (!onlineUrl.startsWith('lmdb:')) return null
  onProgress('online features')
  let entries = 0
  const pairs = encodePairs(dumpLmdb(onlineUrl), () => {
    entries++
  })
  const { lines: _, ...part } = await writePart(directory, 'online.pairs.gz', pairs)
  return { ...part, entries }
}

/** Whole records only: a crash may have torn the last one. */
async function writeCheckpoints({ checkpointsFile }: BackupOptions, directory: string) {
  const { notes } = await readCheckpoints(checkpointsFile)
  return writeLines(
    directory,
    'checkpoints',
    notes.map(({ note }) => `${note}\n`),
  )
}

async function writeLines(directory: string, file: string, lines: readonly string[]) {
  async function* content() {
    for (const line of lines) yield Buffer.from(line)
  }
  const { lines: _, ...part } = await writePart(directory, file, content())
  return part
}

async function writeText(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

function totalOf(objects: ReadonlyArray<StoredObject | StoredFile>): { count: number; totalBytes: number } {
  return { count: objects.length, totalBytes: objects.reduce((sum, { size }) => sum + size, 0) }
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
