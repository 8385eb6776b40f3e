import { mkdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { listWorkspaces } from '#modules/identity/queries.ts'
import { modules } from '#modules/index.ts'
import { type Config, inheritedEnvironment } from '#platform/config.ts'
import { type ControlPlane, onlineUrlOf, startControlPlane } from '#platform/control-plane.ts'
import { chooseDataDirectory, openDataDirectory } from '#platform/data-directory.ts'
import { startEmbeddedPostgres } from '#platform/storage/database/embedded/start-embedded-postgres.ts'
import { serveConsole } from '#platform/surfaces/console-files.ts'
import { createLogger } from '#platform/telemetry.ts'
import { localUrl } from '#platform/tls/server-names.ts'
import { requireTrusted, urlOnThisMachine } from '#platform/tls/this-machine.ts'
import { localAuthorities } from '#platform/tls/trust.ts'
import { buildConsoleIfStale, consoleDirectory } from '../console/build.ts'
import { protocols } from '../protocols/index.ts'
import { type ClientFile, ensureClientFile, ensureNodeToken, ensureWorkspace, signInLink } from './bootstrap.ts'
import { nodeAnswers } from './health.ts'
import { listen, refuseTakenPort } from './listen.ts'
import { supervise } from './supervise.ts'
import { packageVersion } from './version.ts'
import { warnOfOpenTransport } from './warn-of-open-transport.ts'

export interface Up {
  dataDir: string
  client: ClientFile
  signInLink: string
  controlPlane: ControlPlane
  /** Pids of the process tree below this one, for `pave doctor` and for tests. */
  processes(): { postgres: number | undefined; inference: number | undefined }
  stop(): Promise<void>
}

export interface UpOptions {
  environment: string
  /** Serve predictions from this machine too. */
  serve: boolean
  onProgress: (text: string) => void
}

const drainMs = 10_000
/** Longer than a node takes to start on a busy machine; without it, everything else works all the same. */
const nodeStartMs = 20_000

/** One process tree on one machine: PostgreSQL, the control plane in this process, and an inference node beside it. */
export async function up(config: Config, options: UpOptions): Promise<Up> {
  const dataDir = await chooseDataDirectory({ configured: config.dataDir, cwd: config.cwd, uid: config.uid })
  const directory = await openDataDirectory(dataDir, { command: 'pave up' })
  const stops: Array<() => Promise<void>> = [() => directory.release()]
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step()
  }
  try {
    await refuseTakenPort(config.host, config.port, 'PAVE_PORT')
    await mkdir(join(dataDir, 'logs'), { recursive: true, mode: 0o700 })
    const log = createLogger(config.logLevel, join(dataDir, 'logs', 'control-plane.log'))
    let postgresPid = (): number | undefined => undefined
    let databaseUrl = config.databaseUrl
    if (databaseUrl === undefined) {
      options.onProgress('starting PostgreSQL')
      const postgres = await startEmbeddedPostgres({ dataDir, log, onProgress: options.onProgress })
      stops.push(() => postgres.stop())
      databaseUrl = postgres.superuserUrl('postgres')
      postgresPid = () => postgres.pid
    }
    options.onProgress('starting the control plane')
    const controlPlane = await startControlPlane({
      config: { ...config, dataDir },
      databaseUrl,
      directUrl: config.databaseDirectUrl,
      modules: [...modules, ...protocols],
      log,
      // Nobody else can hold this data directory, nor sign the ledger of its database without it.
      alone: true,
      workspaces: async (platform) => (await listWorkspaces(platform)).map((workspace) => workspace.id),
      onProgress: options.onProgress,
    })
    stops.push(() => controlPlane.stop())
    await buildConsoleIfStale(options.onProgress)
    serveConsole(controlPlane.http, consoleDirectory)
    const { port } = await listen(controlPlane, config)
    const { tls } = controlPlane.platform.services
    const url = urlOnThisMachine({ ...config, port }, tls)
    const inferenceUrl = localUrl({ ...config, port: config.inferencePort })
    const ca = localAuthorities({ ...config, dataDir })
    if (tls !== undefined) await requireTrusted(url)
    warnOfOpenTransport(config, 'Pave', options.onProgress)
    const workspace = await ensureWorkspace(controlPlane.platform)
    const client = await ensureClientFile(controlPlane.platform, workspace, dataDir, { url, inferenceUrl, ca })
    let inferencePid = (): number | undefined => undefined
    if (options.serve) {
      options.onProgress('starting the inference node')
      const name = `local-${options.environment}`
      const inference = await supervise({
        name,
        args: [
          join(import.meta.dirname, '..', `cli${extname(import.meta.url)}`),
          'serve',
          '--environment',
          options.environment,
          '--name',
          name,
        ],
        env: {
          ...inheritedEnvironment(),
          PAVE_DATA_DIR: dataDir,
          PAVE_HOST: config.host,
          PAVE_INFERENCE_PORT: String(config.inferencePort),
          PAVE_URL: url,
          ...(tls !== undefined && { PAVE_TLS_CERT: tls.files.cert, PAVE_TLS_KEY: tls.files.key }),
          ...(ca !== undefined && { PAVE_CA: ca }),
          PAVE_TOKEN: await ensureNodeToken(controlPlane.platform, workspace, dataDir, name),
          PAVE_LOG_LEVEL: config.logLevel,
          ONLINE_URL: config.onlineUrl ?? onlineUrlOf(dataDir),
          ...(config.otlpEndpoint !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: config.otlpEndpoint }),
        },
        version: await packageVersion(),
        pidFile: join(dataDir, 'run', `${name}.json`),
        holderFile: join(dataDir, 'nodes', name, 'run', 'holder.json'),
        log,
        graceMs: drainMs,
        beforeStart: () => refuseTakenPort(config.host, config.inferencePort, 'PAVE_INFERENCE_PORT'),
      })
      stops.push(() => inference.stop())
      inferencePid = () => inference.pid
      if (!(await nodeAnswers(config, nodeStartMs))) {
        options.onProgress(`The inference node does not answer yet; ${join(dataDir, 'logs', `${name}.log`)} says why.`)
      }
    }
    return {
      dataDir,
      client,
      signInLink: await signInLink(controlPlane.platform, workspace, config.url ?? url),
      controlPlane,
      processes: () => ({ postgres: postgresPid(), inference: inferencePid() }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
