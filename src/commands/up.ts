import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { listWorkspaces } from '#modules/identity/queries.ts'
import { modules } from '#modules/index.ts'
import { type Config, inheritedEnvironment } from '#platform/config.ts'
import { type ControlPlane, onlineUrlOf, startControlPlane } from '#platform/control-plane.ts'
import { chooseDataDirectory, openDataDirectory } from '#platform/data-directory.ts'
import { startupFailure } from '#platform/startup-error.ts'
import { startEmbeddedPostgres } from '#platform/storage/database/embedded/start-embedded-postgres.ts'
import { serveConsole } from '#platform/surfaces/console-files.ts'
import { createLogger } from '#platform/telemetry.ts'
import { buildConsoleIfStale, consoleDirectory } from '../console/build.ts'
import { protocols } from '../protocols/index.ts'
import { type ClientFile, ensureClientFile, ensureNodeToken, ensureWorkspace, signInLink } from './bootstrap.ts'
import { supervise } from './supervise.ts'
import { packageVersion } from './version.ts'

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
      modules: [...modules, ...protocols],
      log,
      alone: config.databaseUrl === undefined,
      workspaces: async (platform) => (await listWorkspaces(platform)).map((workspace) => workspace.id),
      onProgress: options.onProgress,
    })
    stops.push(() => controlPlane.stop())
    await buildConsoleIfStale(options.onProgress)
    serveConsole(controlPlane.http, consoleDirectory)
    const url = await listen(controlPlane, config)
    const inferenceUrl = `http://${config.host}:${config.inferencePort}`
    const workspace = await ensureWorkspace(controlPlane.platform)
    const client = await ensureClientFile(controlPlane.platform, workspace, dataDir, { url, inferenceUrl })
    let inferencePid = (): number | undefined => undefined
    if (options.serve) {
      options.onProgress('starting the inference node')
      const name = `local-${options.environment}`
      const inference = await supervise({
        name,
        args: [
          join(import.meta.dirname, '..', 'cli.ts'),
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
    }
    return {
      dataDir,
      client,
      signInLink: await signInLink(controlPlane.platform, workspace, url),
      controlPlane,
      processes: () => ({ postgres: postgresPid(), inference: inferencePid() }),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function listen(controlPlane: ControlPlane, config: Config): Promise<string> {
  try {
    return await controlPlane.http.listen({ host: config.host, port: config.port })
  } catch (error) {
    throw explained(error, config.host, config.port, 'PAVE_PORT')
  }
}

/** Tried before anything is started for it, so that nobody waits for what cannot become of it. */
async function refuseTakenPort(host: string, port: number, variable: string): Promise<void> {
  const trial = createServer()
  try {
    trial.listen(port, host)
    await once(trial, 'listening')
  } catch (error) {
    throw explained(error, host, port, variable)
  } finally {
    trial.close()
  }
}

function explained(error: unknown, host: string, port: number, variable: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return startupFailure('port_in_use', `Port ${port} on ${host} is in use`, {
      hint: `Stop what listens there, or choose another port: ${variable}=${port + 10} pave up`,
      cause: error,
    })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES' || code === 'ENOTFOUND') {
    return startupFailure('invalid_configuration', `Nothing can listen on ${host}:${port}: ${code}`, {
      hint: `Set PAVE_HOST to an address of this machine and ${variable} to a port that this user may open.`,
      cause: error,
    })
  }
  return error
}
