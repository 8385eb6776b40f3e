import { createHash } from 'node:crypto'
import { mkdir, rename, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { PaveError } from '../../../errors.ts'
import { chooseAccount } from './account.ts'
import { type Binaries, locateBinaries, runnableBinaries } from './binaries.ts'
import { endOrphans } from './end-orphans.ts'
import { initializeCluster } from './initialize-cluster.ts'
import { launchServer } from './launch-server.ts'
import { type ServerSettings, serverSettings } from './settings.ts'
import { prepareSocketDirectory, socketPort, socketUrl } from './socket-directory.ts'

export interface EmbeddedPostgres {
  socketDir: string
  port: number
  /** A connection string for the superuser; reaches no further than this machine. */
  superuserUrl(database: string): string
  /** The postmaster's; another one after a restart. */
  readonly pid: number
  /** Ends sessions, writes a checkpoint and resolves when the server is gone. */
  stop(): Promise<void>
  /** Resolves when the server is down for good: with nothing after `stop`, with the error when it did not stay up. */
  exited: Promise<PaveError | undefined>
}

const mostRestarts = 5
const restartWindow = 60_000
const largestLog = 16 << 20

/**
 * Starts the bundled PostgreSQL in an opened data directory and starts it again whenever it ends by itself. Its own words
 * go to `logs/postgres.log`, which outlives Pave; `log` gets what happens to it. Errors: postgres_binaries_missing,
 * postgres_account_missing, postgres_version_mismatch, postgres_start_failed, disk_full.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string
  log: Pick<Logger, 'info' | 'warn' | 'error'>
  onProgress?: (message: string) => void
  settings?: ServerSettings
  /** Instead of the package's. */
  binaries?: Binaries
}): Promise<EmbeddedPostgres> {
  const { log, onProgress = () => {} } = options
  const dataDir = resolve(options.dataDir)
  const cluster = join(dataDir, 'postgres')
  const clusterName = `pave-${createHash('sha256').update(cluster).digest('hex').slice(0, 12)}`

  const account = await chooseAccount(cluster)
  const packaged = options.binaries ?? (await locateBinaries())
  const binaries = await runnableBinaries(packaged, { dataDir, otherUser: account !== undefined, onProgress })
  await initializeCluster(cluster, { dataDir, binaries, account, sync: options.settings?.fsync !== 'off', onProgress })
  const socketDir = await prepareSocketDirectory(dataDir, account)
  const logFile = await prepareLog(join(dataDir, 'logs'))
  const settings = {
    ...serverSettings,
    ...options.settings,
    cluster_name: clusterName,
    port: String(socketPort),
    unix_socket_directories: socketDir,
  }

  const lockFiles = [join(cluster, 'postmaster.pid'), join(socketDir, `.s.PGSQL.${socketPort}.lock`)]
  const launch = () => launchServer({ binaries, cluster, account, logFile, settings })

  onProgress('Starting PostgreSQL')
  await sweep(clusterName, lockFiles, log)
  let server = launch()
  await server.ready

  let stopping = false
  const exited = keepUp()
  return {
    socketDir,
    port: socketPort,
    superuserUrl: (database) => socketUrl(socketDir, database),
    get pid() {
      return server.pid
    },
    async stop() {
      stopping = true
      await server.stop()
      await exited
    },
    exited,
  }

  async function keepUp(): Promise<PaveError | undefined> {
    for (let restarts = 0; ; restarts++) {
      const ending = await server.ended
      if (stopping) return undefined
      if (restarts === mostRestarts) return ending
      log.error({ reason: ending.message }, 'PostgreSQL ended by itself; starting it again')
      if (restarts > 0) await sleep(100 * 2 ** restarts)
      await sweep(clusterName, lockFiles, log)
      if (stopping) return undefined
      server = launch()
      setTimeout(() => restarts--, restartWindow).unref()
      await server.ready.then(
        () => log.info({ pid: server.pid }, 'PostgreSQL is back'),
        () => {},
      )
    }
  }
}

async function sweep(clusterName: string, lockFiles: readonly string[], log: Pick<Logger, 'warn'>): Promise<void> {
  const orphans = await endOrphans(clusterName, lockFiles)
  if (orphans > 0) log.warn({ orphans }, 'Ended PostgreSQL processes that an earlier start left behind')
}

/** One file and the one before it; a server that runs keeps writing to the file that it was started with. */
async function prepareLog(directory: string): Promise<string> {
  const file = join(directory, 'postgres.log')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const found = await stat(file).catch(() => undefined)
  if (found !== undefined && found.size > largestLog) await rename(file, `${file}.1`)
  return file
}
