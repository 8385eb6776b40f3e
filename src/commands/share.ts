import { mkdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { listWorkspaces } from '#modules/identity/queries.ts'
import { modules } from '#modules/index.ts'
import type { Config } from '#platform/config.ts'
import { type ControlPlane, startControlPlane } from '#platform/control-plane.ts'
import { chooseDataDirectory, openDataDirectory } from '#platform/data-directory.ts'
import { startupFailure } from '#platform/startup-error.ts'
import { createLogger } from '#platform/telemetry.ts'
import { protocols } from '../protocols/index.ts'

export interface SharedControlPlane {
  controlPlane: ControlPlane
  dataDir: string
  stop(): Promise<void>
}

/**
 * One process of several on one database and one data directory. Each of them seals the ledger and calls subscribers, in
 * turns that the database gives out; `work` says whether it runs jobs as well.
 */
export async function startShared(
  config: Config,
  options: { command: string; logName: string; work: boolean; onProgress: (text: string) => void },
): Promise<SharedControlPlane> {
  const { command, logName, work, onProgress } = options
  const { databaseUrl } = config
  if (databaseUrl === undefined || config.dataDir === undefined) {
    throw startupFailure(
      'invalid_configuration',
      `\`${command}\` shares a database and a data directory with other processes, and needs DATABASE_URL and PAVE_DATA_DIR`,
      { hint: 'Set both, to the same for every process; or start everything on one machine with `pave up`.' },
    )
  }
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  const directory = await openDataDirectory(dataDir, { command, shared: true })
  try {
    if (config.onlineUrl === undefined) await refuseNetworkFileSystem(dataDir)
    await mkdir(join(dataDir, 'logs'), { recursive: true, mode: 0o700 })
    const controlPlane = await startControlPlane({
      config: { ...config, dataDir },
      databaseUrl,
      directUrl: config.databaseDirectUrl,
      modules: [...modules, ...protocols],
      log: createLogger(config.logLevel, join(dataDir, 'logs', `${logName}.log`)),
      alone: false,
      work,
      workspaces: async (platform) => (await listWorkspaces(platform)).map((workspace) => workspace.id),
      onProgress,
    })
    return {
      controlPlane,
      dataDir,
      async stop() {
        await controlPlane.stop()
        await directory.release()
      },
    }
  } catch (error) {
    await directory.release()
    throw error
  }
}

/** NFS, SMB, CIFS, FUSE, Ceph: `statfs` knows them by number. */
const networkFileSystems = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x00c36400])

/** LMDB is a map of memory that processes of one machine share; on a network file system it breaks without a word. */
async function refuseNetworkFileSystem(dataDir: string): Promise<void> {
  const { type } = await statfs(dataDir)
  if (!networkFileSystems.has(type)) return
  throw startupFailure(
    'invalid_configuration',
    `Online features cannot be kept in ${dataDir}, on a network file system`,
    {
      hint: 'Set ONLINE_URL to a Redis that every process reaches.',
    },
  )
}
