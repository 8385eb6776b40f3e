import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import pino from 'pino'
import { inheritedEnvironment } from '#platform/config.ts'
import { openDataDirectory } from '#platform/data-directory.ts'
import { startEmbeddedPostgres } from '#platform/storage/database/embedded/start-embedded-postgres.ts'
import { pythonEnvironment } from '../../e2e/clients/python-environment.ts'
import { createPlace, freePorts, kill, startPave } from '../../e2e/support/start-pave.ts'

export interface TrackingServer {
  name: string
  port: number
  headers: Record<string, string>
  /** Where all of its processes are at work, and nothing else. */
  directory: string
}

/** What `pave up` starts: one control plane with the PostgreSQL that comes with it. */
export async function startPaveServer(resources: AsyncDisposableStack): Promise<TrackingServer> {
  const place = await createPlace((work) => void resources.defer(work))
  const pave = await startPave(place)
  resources.defer(async () => void (await pave.stop()))
  return {
    name: 'Pave',
    port: Number(new URL(place.url).port),
    headers: { authorization: `Bearer ${pave.token}` },
    directory: place.dataDir,
  }
}

/** What `mlflow server` starts by itself: four workers and an SQLite database. */
export async function startMlflowServer(resources: AsyncDisposableStack): Promise<TrackingServer> {
  return startMlflow(resources, 'mlflow server', [])
}

/** The same with the PostgreSQL, and its settings, that Pave brings along. */
export async function startMlflowOnPostgres(resources: AsyncDisposableStack): Promise<TrackingServer> {
  const data = await openDataDirectory(await mkdtemp(join(tmpdir(), 'mlflow-postgres-')), { command: 'bench' })
  resources.defer(async () => {
    await data.release()
    await rm(data.path, { recursive: true, force: true })
  })
  const postgres = await startEmbeddedPostgres({ dataDir: data.path, log: pino({ level: 'silent' }) })
  resources.defer(() => postgres.stop())
  const { host, port, user } = new pg.Client(postgres.superuserUrl('postgres'))
  const uri = `postgresql+psycopg2://${user}@/postgres?host=${host}&port=${port}`
  return startMlflow(resources, 'mlflow server on PostgreSQL', ['--backend-store-uri', uri])
}

async function startMlflow(
  resources: AsyncDisposableStack,
  name: string,
  args: readonly string[],
): Promise<TrackingServer> {
  const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
  if ('missing' in environment) throw new Error(`The peer needs Python and its packages: ${environment.missing}`)
  const directory = await mkdtemp(join(tmpdir(), 'mlflow-bench-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const [port = 0] = await freePorts(1)
  const child = spawn(
    environment.python,
    ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), ...args],
    {
      cwd: directory,
      env: { ...inheritedEnvironment(), HOME: directory, DO_NOT_TRACK: 'true' },
      stdio: 'ignore',
      detached: true,
    },
  )
  resources.defer(async () => {
    // Its workers are a group with it.
    if (child.pid !== undefined) kill(-child.pid, 'SIGKILL')
  })
  for (const until = performance.now() + 180_000; performance.now() < until; await pause(200)) {
    if (child.exitCode !== null) throw new Error(`${name} ended with exit code ${child.exitCode}`)
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
    if (answer?.ok) return { name, port, headers: {}, directory }
  }
  throw new Error(`${name} does not answer`)
}
