import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { modules } from '#modules/index.ts'
import { liveFilesQuery } from '#modules/predictions/queries.ts'
import { backupFailure } from '#platform/backup/errors.ts'
import { keepNewest } from '#platform/backup/keep-newest.ts'
import { findBackup, listBackups, type Manifest, readManifest } from '#platform/backup/manifest.ts'
import { knownMigrations } from '#platform/backup/restore-backup.ts'
import { mebibytes, takeBackup } from '#platform/backup/take-backup.ts'
import { type BackupReport, verifyBackup } from '#platform/backup/verify-backup.ts'
import { systemClock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import { migrationSets, onlineUrlOf } from '#platform/control-plane.ts'
import { checkpointsFile } from '#platform/create-platform.ts'
import { chooseDataDirectory } from '#platform/data-directory.ts'
import { keyFiles, loadVerifierKey } from '#platform/ledger/signing-key.ts'
import { openObjectStore } from '#platform/storage/objects/open-object-store.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { protocols } from '../protocols/index.ts'
import { reachDatabase } from './reach-database.ts'
import { packageVersion } from './version.ts'

export const moduleMigrations = () => migrationSets([...modules, ...protocols])

/** Takes a backup, whether Pave runs or not; checks one from its files alone; lists those of a place. */
export async function backup(args: string[], config: Config, output: Output): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      keep: { type: 'string' },
      key: { type: 'string' },
      checkpoints: { type: 'string' },
      'passphrase-file': { type: 'string' },
      'plain-keys': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [verb, path] = positionals
  if (verb === 'verify') return verify(path, values, output)
  if (verb !== undefined && verb !== 'list') throw usage(`backup ${verb}: there is no such thing to do`)
  if (values.to === undefined) throw usage('backup: say where to, with --to PLACE')
  const place = resolve(values.to)
  if (verb === 'list') return list(place, values.json, output)
  const keep = values.keep === undefined ? undefined : Number(values.keep)
  if (keep !== undefined && !(Number.isInteger(keep) && keep > 0))
    throw usage('backup: --keep takes a number from 1 up')
  const plain = values['plain-keys']
  const passphrase = await readPassphrase(values['passphrase-file'], config)
  if (plain && values['passphrase-file'] !== undefined)
    throw usage('backup: --passphrase-file or --plain-keys, not both')
  if (!plain && passphrase === undefined) {
    throw backupFailure('backup_passphrase_missing', 'No passphrase was given for the signing keys')
  }
  return take({ config, place, keep, passphrase: plain ? undefined : passphrase, json: values.json, output })
}

/** The first line of the file, else what the environment says. */
export async function readPassphrase(file: string | undefined, config: Config): Promise<string | undefined> {
  if (file === undefined) return config.backupPassphrase
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw clientFailure('usage', `The file of the passphrase cannot be read: ${String(cause)}`, { cause })
  })
  const [line = ''] = text.split('\n')
  if (line.trim() === '') throw clientFailure('usage', `${file} holds no passphrase in its first line`)
  return line.trim()
}

async function take(options: {
  config: Config
  place: string
  keep: number | undefined
  passphrase: string | undefined
  json: boolean
  output: Output
}): Promise<number> {
  const { config, place, keep, output } = options
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  if ((await stat(keyFiles(dataDir).privateFile).catch(() => undefined)) === undefined) {
    throw backupFailure('backup_nothing_to_save', `No Pave was ever started in ${dataDir}: it holds no signing key`)
  }
  const say = (text: string) => output.err(text)
  const database = await reachDatabase(config, dataDir, { command: 'pave backup', onProgress: say })
  const startedAt = performance.now()
  try {
    const objectsUrl = config.objectsUrl ?? pathToFileURL(join(dataDir, 'objects')).href
    const taken = await takeBackup({
      databaseUrl: database.url,
      dataDir,
      checkpointsFile: checkpointsFile(dataDir),
      objects: await openObjectStore(objectsUrl, { cacheDirectory: join(dataDir, 'object-copies') }),
      onlineUrl: config.onlineUrl ?? onlineUrlOf(dataDir),
      place,
      passphrase: options.passphrase,
      known: knownMigrations(moduleMigrations()),
      filesQuery: liveFilesQuery,
      pave: await packageVersion(),
      clock: systemClock,
      onProgress: say,
    })
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    const pruned = keep === undefined ? undefined : await keepNewest(place, keep)
    const { manifest, directory, reused } = taken
    if (options.json) {
      const summary = summaryOf(manifest)
      output.out(JSON.stringify({ directory, seconds, reused, ...summary, removed: pruned?.removed ?? [] }, null, 2))
    } else {
      output.out(`${directory}: ${describe(manifest)}, in ${seconds} s`)
      if (pruned !== undefined && pruned.removed.length > 0) {
        output.out(`removed ${pruned.removed.length} older backups and ${pruned.objects} objects`)
      }
    }
    for (const problem of manifest.problems) output.err(`PROBLEM: ${problem}`)
    return manifest.problems.length === 0 ? exitCodes.ok : exitCodes.refused
  } finally {
    await database.close()
  }
}

async function verify(
  path: string | undefined,
  values: { key?: string | undefined; checkpoints?: string | undefined; json: boolean },
  output: Output,
): Promise<number> {
  if (path === undefined) throw usage('backup verify: name a backup, or the place where backups lie')
  const report = await verifyBackup({
    directory: await findBackup(resolve(path)),
    key: values.key === undefined ? undefined : await loadVerifierKey(values.key),
    checkpointsFile: values.checkpoints,
    onProgress: (text) => output.err(text),
  })
  if (values.json) output.out(JSON.stringify(report, null, 2))
  else showReport(report, output)
  return report.problems.length === 0 ? exitCodes.ok : exitCodes.refused
}

function showReport(report: BackupReport, output: Output): void {
  const { ledger, problems } = report
  for (const statement of report.statements) output.out(statement)
  for (const problem of report.problemsWhenTaken) output.err(`when it was taken: ${problem}`)
  for (const problem of problems) output.err(`PROBLEM: ${problem}`)
  output.out(
    `${report.backup}: ${report.rows} rows, ${report.objects} objects, ${report.files} files, ` +
      `${ledger.sealed} ledger entries against ${ledger.checkpoints} signed checkpoints: ` +
      `${problems.length === 0 ? 'verified' : `${problems.length} PROBLEM(S)`}`,
  )
}

async function list(place: string, json: boolean, output: Output): Promise<number> {
  const found = []
  for (const name of await listBackups(place)) {
    const manifest = await readManifest(join(place, name)).catch((error: unknown) => String(error))
    found.push({ backup: name, ...(typeof manifest === 'string' ? { problem: manifest } : summaryOf(manifest)) })
    if (json) continue
    output.out(typeof manifest === 'string' ? `${name}  ${manifest}` : `${name}  ${describe(manifest)}`)
  }
  if (json) output.out(JSON.stringify(found, null, 2))
  else if (found.length === 0) output.out(`${place} holds no finished backup`)
  return exitCodes.ok
}

function summaryOf(manifest: Manifest) {
  const { tables, objects, files, online, ledger, keys, problems } = manifest
  return {
    backup: manifest.backup,
    pave: manifest.pave,
    postgres: manifest.postgres,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    tableBytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    objects: objects.count,
    objectBytes: objects.totalBytes,
    files: files.count,
    fileBytes: files.totalBytes,
    onlineEntries: online?.entries ?? null,
    ledgerEntries: ledger.entries,
    keysEncrypted: keys.encrypted,
    problems,
  }
}

function describe(manifest: Manifest): string {
  const { rows, tableBytes, objects, objectBytes, files, fileBytes } = summaryOf(manifest)
  return (
    `${rows} rows (${mebibytes(tableBytes)}), ${objects} objects (${mebibytes(objectBytes)}), ` +
    `${files} files (${mebibytes(fileBytes)})`
  )
}

function usage(message: string) {
  return clientFailure('usage', message, { hint: 'See `pave backup --help`.' })
}
