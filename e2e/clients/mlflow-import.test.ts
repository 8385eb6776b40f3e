import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { cli } from '../support/start-pave.ts'
import { pythonEnvironment } from './python-environment.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('pave import mlflow', { timeout: 300_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let pave: TestPlatform
  let url: string
  let token: string
  let folder: string
  let file: string

  beforeAll(async () => {
    pave = await createTestPlatform({ modules: [identity, tracking, registry, mlflow] })
    url = await pave.controlPlane.http.listen({ host: '127.0.0.1', port: 0 })
    await pave.as('ada', 'admin')
    token = (await pave.run(createToken, { principal: 'ada', name: 'import' })).token
    folder = await mkdtemp(join(tmpdir(), 'pave-import-'))
    file = join(folder, 'mlflow.db')
    await script(['seed', file, join(folder, 'artifacts')])
  })
  afterAll(async () => {
    await pave.drop()
    await rm(folder, { recursive: true })
  })

  async function script(args: string[]): Promise<string> {
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
  const told = async (uri: string) => JSON.parse((await script(['describe', uri])).trim().split('\n').at(-1) ?? '')

  async function importAll() {
    const args = [cli, 'import', 'mlflow', '--from', file, '--json']
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, PAVE_URL: url, PAVE_TOKEN: token }
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: folder })
    return JSON.parse(stdout)
  }

  it('copies everything that the stock client tells, with ids and times', async () => {
    const copied = await importAll()
    expect(copied).toMatchObject({ experiments: 3, runs: 6, unchanged: 0, loggedModels: 1, problems: [] })
    expect(copied.points).toBe(3 * 2502 + 2)
    const [theirs, ours] = [await told(`sqlite:///${file}`), await told(url)]
    expect(ours).toEqual(theirs)
  })

  it('copies nothing twice', async () => {
    const before = await told(url)
    expect(await importAll()).toMatchObject({ runs: 0, unchanged: 6, points: 0, problems: [] })
    expect(await told(url)).toEqual(before)
  })
})
