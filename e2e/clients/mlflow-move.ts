import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { webhooks } from '#modules/webhooks/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { cli } from '../support/start-pave.ts'
import { startMlflowServer } from './mlflow-server.ts'

/** Only who has it reads the secrets of webhooks from MLflow's database; its server cannot list them without. */
const webhookKey = Buffer.alloc(32, 1).toString('base64')

export interface Server {
  url: string
  token: string
}

export type Move = Awaited<ReturnType<typeof startMove>>

/** An MLflow of one SQLite file with one of everything, and as many empty Paves as one needs to move it to. */
export async function startMove(python: string) {
  const folder = await mkdtemp(join(tmpdir(), 'pave-move-'))
  const file = join(folder, 'mlflow.db')
  const ends: Array<() => unknown> = []

  const environment = {
    PATH: `${dirname(python)}:/usr/bin:/bin`,
    HOME: folder,
    MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: webhookKey,
    MLFLOW_DISABLE_TELEMETRY: 'true',
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    GIT_PYTHON_REFRESH: 'quiet',
    PYTHONDONTWRITEBYTECODE: '1',
  }

  async function script(name: string, args: string[], token = ''): Promise<string> {
    const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, name), ...args], {
      cwd: folder,
      env: { ...environment, MLFLOW_TRACKING_TOKEN: token },
      maxBuffer: 64_000_000,
    })
    return stdout.trim().split('\n').at(-1) ?? ''
  }

  const paveEnvironment = (to: Server, theirToken = '') => {
    const own = { PAVE_URL: to.url, PAVE_TOKEN: to.token, MLFLOW_TRACKING_TOKEN: theirToken }
    return { PATH: process.env['PATH'] ?? '', HOME: folder, ...own }
  }

  /** What the command prints as JSON, or its complaint. */
  async function command(args: string[], to: Server, theirToken = '') {
    const env = paveEnvironment(to, theirToken)
    const running = promisify(execFile)(process.execPath, [cli, ...args, '--json'], { env, cwd: folder })
    const { stdout, stderr } = await running.catch((failed: { stdout: string; stderr: string }) => failed)
    return stdout === '' ? stderr : JSON.parse(stdout)
  }

  await script('mlflow-import.py', ['seed', file, join(folder, 'artifacts')])
  return {
    folder,
    file,
    script,
    command,
    /** Everything that the stock client tells. */
    told: async ({ url, token }: Server): Promise<unknown> =>
      JSON.parse(await script('mlflow-import.py', ['describe', url], token)),
    importAll: (from: string, to: Server, theirToken = '', ...more: string[]) =>
      command(['import', 'mlflow', '--from', from, ...more], to, theirToken),
    verify: (from: string, to: Server, theirToken = '', ...more: string[]) =>
      command(['import', 'mlflow', '--from', from, '--verify', '--files', ...more], to, theirToken),
    /** A command that goes on until it ends or is killed. */
    begin: (args: string[], to: Server) =>
      spawn(process.execPath, [cli, ...args], { env: paveEnvironment(to), cwd: folder, stdio: 'ignore' }),
    async emptyPave(): Promise<Server> {
      const pave: TestPlatform = await createTestPlatform({
        modules: [identity, tracking, traces, registry, webhooks, mlflow],
      })
      ends.push(() => pave.drop())
      await pave.as('ada', 'admin')
      const { token } = await pave.run(createToken, { principal: 'ada', name: 'move' })
      return { url: await pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 }), token }
    },
    /** `mlflow server` on a database; answers its URL. */
    async serve(database: string, ...more: string[]): Promise<string> {
      const args = ['--backend-store-uri', `sqlite:///${database}`, '--workers', '1', ...more]
      const { url, stop } = await startMlflowServer(python, { folder, args, env: environment })
      ends.push(stop)
      return url
    },
    async end() {
      for (const end of ends.toReversed()) await end()
      await rm(folder, { recursive: true })
    },
  }
}
