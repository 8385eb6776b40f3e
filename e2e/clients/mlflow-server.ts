import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from '../support/start-pave.ts'

/** `mlflow server` of a Python environment, with a database of its own and one worker. */
export async function startMlflowServer(python: string): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'mlflow-server-'))
  const [port = 0] = await freePorts(1)
  const args = ['server', '--backend-store-uri', 'sqlite:///mlflow.db', '--port', `${port}`, '--workers', '1']
  const server = spawn(join(dirname(python), 'mlflow'), args, {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: folder, DO_NOT_TRACK: 'true', PYTHONDONTWRITEBYTECODE: '1' },
    stdio: 'ignore',
    detached: true,
  })
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    // Its worker is in a group with it.
    if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  for (const until = performance.now() + 120_000; performance.now() < until; await pause(200)) {
    if (server.exitCode !== null) break
    if (
      await fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return { url, stop }
  }
  await stop()
  throw new Error('mlflow server does not answer')
}
