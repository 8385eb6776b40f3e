import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type DrillReport, drill } from '#platform/backup/drill.ts'
import { findBackup } from '#platform/backup/manifest.ts'
import { requireEmptyDirectory } from '#platform/backup/prepare-target.ts'
import { restoreBackup } from '#platform/backup/restore-backup.ts'
import { systemClock } from '#platform/clock.ts'
import type { Config } from '#platform/config.ts'
import { onlineUrlOf } from '#platform/control-plane.ts'
import { checkpointsFile } from '#platform/create-platform.ts'
import { chooseDataDirectory, openDataDirectory } from '#platform/data-directory.ts'
import { createIds } from '#platform/ids.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '#platform/storage/database/embedded/start-embedded-postgres.ts'
import { openObjectStore } from '#platform/storage/objects/open-object-store.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { createLogger } from '#platform/telemetry.ts'
import { moduleMigrations, readPassphrase } from './backup.ts'
import { packageVersion } from './version.ts'

/** Restores a backup into a new data directory, and for a drill into one that is removed again. */
export async function restore(args: string[], config: Config, output: Output): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'passphrase-file': { type: 'string' },
      checkpoints: { type: 'string' },
      force: { type: 'boolean', default: false },
      drill: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [path] = positionals
  if (path === undefined) {
    throw clientFailure('usage', 'restore: name a backup, or the place where backups lie', {
      hint: 'See `pave restore --help`.',
    })
  }
  const shared = {
    directory: await findBackup(resolve(path)),
    passphrase: await readPassphrase(values['passphrase-file'], config),
    sets: moduleMigrations(),
    newerCheckpoints: values.checkpoints,
    by: `uid ${config.uid ?? 'unknown'} on ${config.machine}`,
    pave: await packageVersion(),
    clock: systemClock,
    ids: createIds(systemClock.now),
    onProgress: (text: string) => output.err(text),
  }
  if (values.drill) {
    const report = await drill({ ...shared, tempDir: config.tempDir, scratch: scratchDatabase() })
    if (values.json) output.out(JSON.stringify(report, null, 2))
    else showDrill(report, output)
    return report.problems.length === 0 ? exitCodes.ok : exitCodes.refused
  }
  return into(config, values.force, shared, output)
}

type Shared = Omit<
  Parameters<typeof restoreBackup>[0],
  'dataDir' | 'checkpointsFile' | 'force' | 'database' | 'objects' | 'onlineUrl'
>

async function into(config: Config, force: boolean, shared: Shared, output: Output): Promise<number> {
  const startedAt = performance.now()
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  await requireEmptyDirectory(dataDir, force)
  const held = await openDataDirectory(dataDir, { command: 'pave restore', restoring: true })
  const scratch = scratchDatabase()
  try {
    const given = config.databaseDirectUrl ?? config.databaseUrl
    const objectsUrl = config.objectsUrl ?? pathToFileURL(join(dataDir, 'objects')).href
    const { manifest, ledger } = await restoreBackup({
      ...shared,
      dataDir,
      checkpointsFile: checkpointsFile(dataDir),
      force,
      database: async () => given ?? scratch.start(dataDir),
      objects: () => openObjectStore(objectsUrl, { cacheDirectory: join(dataDir, 'object-copies') }),
      onlineUrl: config.onlineUrl ?? onlineUrlOf(dataDir),
    })
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    output.out(`${manifest.backup} is restored into ${dataDir}, in ${seconds} s`)
    if (ledger !== undefined) {
      output.out(`The ledger has ${ledger.size} entries and is in epoch ${ledger.epoch}: the last entries say so`)
    }
    if (manifest.online === null) {
      output.out('Online features were kept in a store of their own and are not part of the backup')
    }
    for (const problem of manifest.problems) output.err(`when the backup was taken: ${problem}`)
    output.out('Start it with `pave up`')
    return exitCodes.ok
  } finally {
    await scratch.stop()
    await held.release()
  }
}

/** The bundled PostgreSQL, started in a data directory when it is needed. */
function scratchDatabase() {
  let postgres: EmbeddedPostgres | undefined
  return {
    async start(dataDir: string): Promise<string> {
      await mkdir(join(dataDir, 'logs'), { recursive: true, mode: 0o700 })
      const log = createLogger('warn', join(dataDir, 'logs', 'restore.log'))
      postgres = await startEmbeddedPostgres({ dataDir, log })
      return postgres.superuserUrl('postgres')
    },
    async stop(): Promise<void> {
      await postgres?.stop()
    },
  }
}

function showDrill(report: DrillReport, output: Output): void {
  const { ledger, problems } = report
  for (const statement of ledger.statements.slice(0, -1)) output.out(statement)
  for (const problem of problems) output.err(`PROBLEM: ${problem}`)
  output.out(
    `${report.backup}: ${report.rows} rows of ${report.tables} tables, ${report.objects} objects, ` +
      `${ledger.verified} of ${ledger.entries} ledger entries against ${ledger.checkpoints} signed checkpoints, ` +
      `in ${report.seconds} s: ${problems.length === 0 ? 'it can be restored' : `${problems.length} PROBLEM(S)`}`,
  )
}
