import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { cli, freePorts } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { pythonEnvironment } from './python-environment.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('pave import mlflow', { timeout: 300_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  const paves: TestPlatform[] = []
  let folder: string
  let file: string
  let theirs: unknown

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pave-import-'))
    file = join(folder, 'mlflow.db')
    await script(['seed', file, join(folder, 'artifacts')])
    theirs = await told({ url: `sqlite:///${file}`, token: '' })
  })
  afterAll(async () => {
    for (const pave of paves) await pave.drop()
    await rm(folder, { recursive: true })
  })

  async function emptyPave() {
    const pave = await createTestPlatform({ modules: [identity, tracking, registry, mlflow] })
    paves.push(pave)
    await pave.as('ada', 'admin')
    const { token } = await pave.run(createToken, { principal: 'ada', name: 'import' })
    return { url: await pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 }), token }
  }

  async function script(args: string[], token = ''): Promise<string> {
    const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'mlflow-import.py'), ...args], {
      cwd: folder,
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        MLFLOW_TRACKING_TOKEN: token,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        GIT_PYTHON_REFRESH: 'quiet',
        PYTHONDONTWRITEBYTECODE: '1',
      },
      maxBuffer: 64_000_000,
    })
    return stdout
  }
  const told = async ({ url, token }: { url: string; token: string }): Promise<unknown> =>
    JSON.parse((await script(['describe', url], token)).trim().split('\n').at(-1) ?? '')

  async function importAll(from: string, to: { url: string; token: string }, theirToken = '') {
    const args = [cli, 'import', 'mlflow', '--from', from, '--json']
    const own = { PAVE_URL: to.url, PAVE_TOKEN: to.token, MLFLOW_TRACKING_TOKEN: theirToken }
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, ...own }
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env, cwd: folder }).catch(
      (failed: { stdout: string; stderr: string }) => failed,
    )
    return stdout === '' ? stderr : JSON.parse(stdout)
  }

  it('copies everything that the stock client tells, with ids and times, and nothing twice', async () => {
    const pave = await emptyPave()
    const copied = await importAll(file, pave)
    expect(copied).toMatchObject({ experiments: 3, runs: 6, unchanged: 0, loggedModels: 1, problems: [] })
    expect(copied.points).toBe(3 * 2502 + 2)
    expect(await told(pave)).toEqual(theirs)
    expect(await importAll(file, pave)).toMatchObject({ runs: 0, unchanged: 6, points: 0, problems: [] })
    expect(await told(pave)).toEqual(theirs)
  })

  it('copies from a server, and from a Pave', async () => {
    const [port = 0] = await freePorts(1)
    const args = ['server', '--backend-store-uri', `sqlite:///${file}`, '--port', `${port}`, '--workers', '1']
    const server = spawn(join(dirname(python), 'mlflow'), args, {
      cwd: folder,
      env: { PATH: `${dirname(python)}:/usr/bin:/bin`, HOME: folder, MLFLOW_DISABLE_TELEMETRY: 'true' },
      stdio: 'ignore',
      detached: true,
    })
    try {
      await eventually(
        () =>
          fetch(`http://127.0.0.1:${port}/health`).then(
            ({ ok }) => ok,
            () => false,
          ),
        120,
      )
      const [first, second] = [await emptyPave(), await emptyPave()]
      expect(await importAll(`http://127.0.0.1:${port}`, first)).toMatchObject({ runs: 6, problems: [] })
      expect(await told(first)).toEqual(theirs)
      expect(await importAll(first.url, second, first.token)).toMatchObject({ runs: 6, problems: [] })
      expect(await told(second)).toEqual(theirs)
    } finally {
      if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL')
    }
  })
})
