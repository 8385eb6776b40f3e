import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { inheritedEnvironment } from '#platform/config.ts'
import { pythonEnvironment } from '../../e2e/clients/python-environment.ts'
import { createPlace, freePorts, kill, startPave } from '../../e2e/support/start-pave.ts'

export interface TrackingServer {
  name: string
  port: number
  headers: Record<string, string>
}

/** What `pave up` starts: one control plane with the PostgreSQL that comes with it. */
export async function startPaveServer(resources: AsyncDisposableStack): Promise<TrackingServer> {
  const place = await createPlace((work) => void resources.defer(work))
  const pave = await startPave(place)
  resources.defer(async () => void (await pave.stop()))
  return { name: 'Pave', port: Number(new URL(place.url).port), headers: { authorization: `Bearer ${pave.token}` } }
}

/** What `mlflow server` starts by itself: four workers and an SQLite database. */
export async function startMlflowServer(resources: AsyncDisposableStack): Promise<TrackingServer> {
  const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
  if ('missing' in environment) throw new Error(`The peer needs Python and its packages: ${environment.missing}`)
  const directory = await mkdtemp(join(tmpdir(), 'mlflow-bench-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))
  const [port = 0] = await freePorts(1)
  const child = spawn(environment.python, ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port)], {
    cwd: directory,
    env: { ...inheritedEnvironment(), HOME: directory, DO_NOT_TRACK: 'true' },
    stdio: 'ignore',
    detached: true,
  })
  resources.defer(async () => {
    // Its workers are a group with it.
    if (child.pid !== undefined) kill(-child.pid, 'SIGKILL')
  })
  for (const until = performance.now() + 180_000; performance.now() < until; await pause(200)) {
    if (child.exitCode !== null) throw new Error(`mlflow server ended with exit code ${child.exitCode}`)
    const answer = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined)
    if (answer?.ok) return { name: 'mlflow server', port, headers: {} }
  }
  throw new Error('mlflow server does not answer')
}
