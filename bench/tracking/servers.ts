import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import pino from 'pino'
import { openDataDirectory } from '#platform/data-directory.ts'
import { startEmbeddedPostgres } from '#platform/storage/database/embedded/start-embedded-postgres.ts'
import { startMlflowServer } from '../../e2e/clients/mlflow-server.ts'
import { pythonEnvironment } from '../../e2e/clients/python-environment.ts'
import { createPlace, startPave } from '../../e2e/support/start-pave.ts'

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
export async function startMlflow(resources: AsyncDisposableStack): Promise<TrackingServer> {
  return startPeer(resources, 'mlflow server', [])
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
  return startPeer(resources, 'mlflow server on PostgreSQL', ['--backend-store-uri', uri])
}

async function startPeer(
  resources: AsyncDisposableStack,
  name: string,
  args: readonly string[],
): Promise<TrackingServer> {
  const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
  if ('missing' in environment) throw new Error(`The peer needs Python and its packages: ${environment.missing}`)
  const directory = await mkdtemp(join(tmpdir(), 'mlflow-bench-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const { port, stop } = await startMlflowServer(environment.python, { folder: directory, args })
  resources.defer(stop)
  return { name, port, headers: {}, directory }
}
