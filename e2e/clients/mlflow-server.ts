import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts, kill } from '../support/start-pave.ts'

const answersWithinMs = 180_000

/** `mlflow server` of a Python environment, at work in `folder`; answers when it does. */
export async function startMlflowServer(
  python: string,
  { folder, args, env = {} }: { folder: string; args: readonly string[]; env?: Record<string, string> },
): Promise<{ url: string; port: number; stop(): void }> {
  const [port = 0] = await freePorts(1)
  const server = spawn(join(dirname(python), 'mlflow'), ['server', '--port', `${port}`, ...args], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', HOME: folder, DO_NOT_TRACK: 'true', PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdio: 'ignore',
    detached: true,
  })
  // Its workers are in a group with it.
  const stop = () => void (server.pid !== undefined && kill(-server.pid, 'SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  for (const until = performance.now() + answersWithinMs; performance.now() < until; await pause(200)) {
    if (server.exitCode !== null) throw new Error(`mlflow server ended with exit code ${server.exitCode}`)
    const answer = await fetch(`${url}/health`).catch(() => undefined)
    if (answer?.ok) return { url, port, stop }
  }
  stop()
  throw new Error('mlflow server does not answer')
}
