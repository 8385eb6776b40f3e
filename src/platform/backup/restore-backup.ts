import { createWriteStream } from 'node:fs'
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ClientBase, Pool } from 'pg'
import { systemActor } from '../actor.ts'
import type { Clock } from '../clock.ts'
import { digestOf, type Ids } from '../ids.ts'
import { beginEpoch, type EpochBeginning, restoreOperation } from '../ledger/begin-epoch.ts'
import { openCheckpoint } from '../ledger/checkpoint.ts'
import { appendCheckpoint, appendNotes, readCheckpoints } from '../ledger/checkpoints-file.ts'
import type { Head } from '../ledger/leaves.ts'
import { loadSigningKey, type SigningKey } from '../ledger/signing-key.ts'
import { openPool } from '../storage/database/database.ts'
import { type MigrationSet, migrate } from '../storage/database/migrate.ts'
import { kernelMigrations } from '../storage/database/migrations/index.ts'
import { prepareRoles } from '../storage/database/prepare-roles.ts'
import type { ObjectStore, StoredObject } from '../storage/objects/object-store.ts'
import { loadLmdb } from '../storage/online/lmdb-dump.ts'
import { checkObjects, copyObjects, readLine } from './copy-objects.ts'
import { refuseUnknown } from './dump-database.ts'
import { backupFailure } from './errors.ts'
import { loadTables } from './load-database.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { decodePairs } from './online-part.ts'
import { linesOf, readPart, readWhole, syncDirectory } from './part-files.ts'
import { claimDatabase, claimDirectory } from './prepare-target.ts'
import { openKeys, writeKeys } from './seal-keys.ts'
import { manyRows, mebibytes, placeObjects } from './take-backup.ts'
import { unfinishedRestoreFile, unfinishedRestoreSchema } from './unfinished-restore.ts'

export interface RestoreOptions {
  /** Of the backup. */
  directory: string
  /** Held by this process, and empty but for what an unfinished restore left. */
  dataDir: string
  checkpointsFile: string
  passphrase: string | undefined
  /** Clears what an unfinished restore left in the database. */
  force: boolean
  /** Starts PostgreSQL, or names one; called once the directory is marked. */
  database: () => Promise<string>
  /** Where objects go; undefined only reads and checks them. */
  objects: (() => Promise<ObjectStore>) | undefined
  onlineUrl: string
  sets: readonly MigrationSet[]
  /** A newer copy of the checkpoints: what was signed after the backup, and is lost. */
  newerCheckpoints?: string | undefined
  /** Who restores, without a name: the ledger holds no personal data. */
  by: string
  pave: string
  clock: Clock
  ids: Ids
  onProgress: (text: string) => void
}

export interface Restored {
  manifest: Manifest
  /** The ledger with its new epoch; undefined when there was nothing in it. */
  ledger: Head | undefined
}

/** The migrations of this Pave, by schema in their order. */
export function knownMigrations(sets: readonly MigrationSet[]): Record<string, string[]> {
  const all = [{ schema: 'platform', migrations: kernelMigrations }, ...sets]
  return Object.fromEntries(all.map(({ schema, migrations }) => [schema, Object.keys(migrations)]))
}

/**
 * Makes a data directory and a database of a backup, every byte of which is checked on its way. Until the end both are
 * marked as unfinished, and no Pave starts on them.
 *
 * @throws `backup_incomplete`, `backup_damaged`, `backup_too_new`, `backup_passphrase_wrong`, `restore_target_not_empty`
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { directory, dataDir, clock, onProgress } = options
  const manifest = await readManifest(directory)
  refuseUnknown(manifest.migrations, knownMigrations(options.sets), `The backup, made by Pave ${manifest.pave},`)
  const sealed = await readWhole(directory, manifest.keys)
  const keys = await openKeys(sealed, manifest.keys.encrypted, options.passphrase)

  await claimDirectory(dataDir, manifest.backup)
  await writeKeys(dataDir, keys)
  const key = await loadSigningKey(dataDir)
  await restoreCheckpoints(options, manifest, key)
  const url = await options.database()
  await restoreDatabase(options, manifest, url)
  await restoreObjects(options, manifest)
  if (manifest.online !== null && options.onlineUrl.startsWith('lmdb:')) {
    onProgress('online features')
    await loadLmdb(options.onlineUrl, decodePairs(readPart(directory, manifest.online)))
  }
  const epochFloor = Math.floor(clock.now() / 1000)
  const ledger = await finish(options, manifest, url, epochFloor, key)
  await syncDirectory(dataDir)
  await rm(unfinishedRestoreFile(dataDir))
  await syncDirectory(dataDir)
  return { manifest, ledger }
}

async function restoreDatabase(options: RestoreOptions, manifest: Manifest, url: string): Promise<void> {
  const { sets, onProgress } = options
  await prepareRoles(url)
  await asOwner(url, (client) => claimDatabase(client, manifest.backup, options.force))
  onProgress('making the schema of the backup')
  const done = (schema: string, migrations: MigrationSet['migrations']) =>
    Object.fromEntries(Object.entries(migrations).filter(([name]) => manifest.migrations[schema]?.includes(name)))
  await migrate(
    url,
    sets
      .filter(({ schema }) => manifest.migrations[schema] !== undefined)
      .map(({ schema, migrations }) => ({ schema, migrations: done(schema, migrations) })),
    done('platform', kernelMigrations),
  )
  onProgress('loading the database')
  await asOwner(url, (client) =>
    loadTables(client, options.directory, manifest, (name, rows) => {
      if (rows >= manyRows) onProgress(`${name}: ${rows} rows`)
    }),
  )
  const newer = await migrate(url, sets)
  if (newer.length > 0) onProgress(`brought up to date: ${newer.join(', ')}`)
}

async function restoreObjects(options: RestoreOptions, manifest: Manifest): Promise<void> {
  const { directory, dataDir, onProgress } = options
  const store = await placeObjects(dirname(directory))
  const listed: StoredObject[] = []
  for await (const line of linesOf(readPart(directory, manifest.objects))) listed.push(readLine(line))
  onProgress(`${listed.length} objects, ${mebibytes(manifest.objects.totalBytes)}`)
  let done = 0
  const count = () => {
    if (++done % 1000 === 0) onProgress(`${done} of ${listed.length} objects`)
  }
  const target = await options.objects?.()
  const lost =
    target === undefined ? await checkObjects(listed, store, count) : await copyObjects(listed, store, target, count)
  for await (const line of linesOf(readPart(directory, manifest.files))) {
    const { path, ...file } = readLine(line)
    if (target === undefined) lost.push(...(await checkObjects([file], store, () => {})))
    else await writeFile(join(dataDir, path), store, file.digest)
  }
  const [first] = lost
  if (first !== undefined) {
    const more = lost.length > 1 ? `, as ${lost.length - 1} others` : ''
    const how = first.code === 'object_corrupt' ? 'damaged' : 'missing'
    throw backupFailure('backup_damaged', `The object ${first.digest} of the backup is ${how}${more}`)
  }
}

async function writeFile(path: string, store: ObjectStore, digest: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await pipeline(await store.open(digest), createWriteStream(path, { mode: 0o600, flush: true }))
}

/** What was signed up to the backup, and of what came later the proof that there was more. */
async function restoreCheckpoints(options: RestoreOptions, manifest: Manifest, key: SigningKey): Promise<void> {
  const { checkpointsFile, directory, newerCheckpoints } = options
  // Reading it checks its digest.
  const text = await readWhole(directory, manifest.ledger.checkpoints)
  await mkdir(dirname(checkpointsFile), { recursive: true, mode: 0o700 })
  await copyFile(join(directory, manifest.ledger.checkpoints.file), checkpointsFile)
  if (newerCheckpoints === undefined) return
  const { notes } = await readCheckpoints(newerCheckpoints)
  const newer = notes.map(({ note }) => note).filter((note) => !text.includes(note))
  for (const note of newer) openCheckpoint(note, key.verifier)
  await appendNotes(checkpointsFile, newer)
}

/** The last step: the ledger says what happened, and only when that is signed the database is free to be used. */
async function finish(
  options: RestoreOptions,
  manifest: Manifest,
  url: string,
  epochFloor: number,
  key: SigningKey,
): Promise<Head | undefined> {
  return asOwner(url, async (client) => {
    await client.query('begin')
    const { rows } = await client.query<{ workspace: string }>('select distinct workspace from ledger.entry order by 1')
    const ledger = rows.length === 0 ? undefined : await restoreLedger(options, manifest, client, epochFloor, rows)
    await client.query('commit')
    if (ledger !== undefined) await appendCheckpoint(options.checkpointsFile, ledger, key)
    await client.query(`drop schema ${unfinishedRestoreSchema} cascade`)
    return ledger
  })
}

async function restoreLedger(
  { by, pave, clock, ids }: RestoreOptions,
  manifest: Manifest,
  client: ClientBase,
  epochFloor: number,
  workspaces: ReadonlyArray<{ workspace: string }>,
): Promise<Head> {
  const { epoch: before, size, root } = manifest.ledger
  // The time, so that two restores of one backup begin two epochs.
  const epoch = Math.max(before + 1, epochFloor)
  const beginning: EpochBeginning = { epoch, size, root, backup: manifest.backup }
  return beginEpoch(client, epoch, (head) => {
    if (head.size !== size || head.root.toString('base64') !== root) {
      throw backupFailure('backup_damaged', 'The ledger that was loaded is not the one of the manifest')
    }
    return workspaces.map(({ workspace }) => ({
      version: 1,
      id: ids.next(),
      at: clock.iso(),
      workspace,
      actor: { kind: 'system', id: systemActor(workspace).id },
      operation: restoreOperation,
      outcome: 'done',
      subjects: [{ kind: 'workspace', id: workspace }],
      inputDigest: digestOf(JSON.stringify(manifest)),
      facts: { ...beginning, takenAt: manifest.startedAt, madeBy: manifest.pave, restoredBy: pave, by },
    }))
  })
}

async function asOwner<T>(url: string, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const pool: Pool = openPool(url, 'pave_owner', { max: 1, onError: () => {}, applicationName: 'pave restore' })
  try {
    const client = await pool.connect()
    try {
      return await work(client)
    } finally {
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}
