import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createToken, type Role } from '#modules/identity/contract.ts'
import type { ModuleDefinition } from '#platform/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'

/** A Pave, and what a notebook of one person beside it has: an address, a token, and a folder. */
export interface StockClient {
  pave: TestPlatform
  url: string
  token: string
  folder: string
  /** Runs Python as that person's notebook would; answers what it printed. */
  run(python: string, args: readonly string[], env?: Record<string, string>): Promise<string>
  /** Runs a script of this directory; answers the JSON of its last line. */
  seen(python: string, script: string, env?: Record<string, string>): Promise<unknown>
  stop(): Promise<void>
}

export async function startForClient(modules: ModuleDefinition[], role: Role): Promise<StockClient> {
  const pave = await createTestPlatform({ modules })
  const url = await pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
  const { name } = await pave.as('ada', role)
  const { token } = await pave.run(createToken, { principal: name, name: 'notebook' })
  const folder = await mkdtemp(join(tmpdir(), 'pave-mlflow-'))
  const client: StockClient = {
    pave,
    url,
    token,
    folder,
    async run(python, args, env = {}) {
      const { stdout } = await promisify(execFile)(python, args, {
        cwd: folder,
        maxBuffer: 64 * 1024 ** 2,
        env: {
          PATH: '/usr/bin:/bin',
          HOME: folder,
          MLFLOW_TRACKING_URI: url,
          MLFLOW_TRACKING_TOKEN: token,
          MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
          MLFLOW_DISABLE_TELEMETRY: 'true',
          GIT_PYTHON_REFRESH: 'quiet',
          PYTHONDONTWRITEBYTECODE: '1',
          ...env,
        },
      })
      return stdout
    },
    async seen(python, script, env) {
      const stdout = await client.run(python, [join(import.meta.dirname, script)], env)
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    },
    async stop() {
      await pave.drop()
      await rm(folder, { recursive: true })
    },
  }
  return client
}
