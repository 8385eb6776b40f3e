import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { newShell, pack } from './pack.ts'

const root = join(import.meta.dirname, '../..')
const execute = promisify(execFile)

/** The tarball as users install it: no checkout, no development dependency, no types to strip. */
describe('the package', () => {
  let folder: string
  let tarball: string
  let installed: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pave-package-'))
    // PostgreSQL and steps run under users of their own when Pave runs as root.
    await execute('chmod', ['711', folder])
    tarball = await pack(folder)
    installed = join(folder, 'installed')
    await mkdir(installed)
    await writeFile(join(installed, 'package.json'), '{}')
    await execute('npm', ['install', '--no-audit', '--no-fund', tarball], {
      cwd: installed,
      env: newShell,
    })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const pave = (args: string[], more: Record<string, string> = {}) =>
    execute(join(installed, 'node_modules/.bin/pave'), args, {
      cwd: installed,
      env: { ...newShell, ...more },
      maxBuffer: 8_000_000,
    })

  it('holds programs, and neither sources nor tests', async () => {
    const files = await readdir(join(installed, 'node_modules/pave/dist/package'), { recursive: true })
    expect(files.filter((path) => /^(src|demo)\/.*\.tsx?$/.test(path))).toEqual([])
    expect(files.filter((path) => /\.(test|fixture)\./.test(path))).toEqual([])
    expect(files).toContain('src/cli.js')
    expect(files).toContain('dist/console/index.html')
    const converters = ['convert.py', 'graphs.py', 'make-environment.sh', 'samples.py']
    expect(files).toEqual(expect.arrayContaining(converters.map((file) => `src/modules/registry/onnx-twin/${file}`)))
    expect((await stat(tarball)).size).toBeLessThan(80_000_000)
    await expect(stat(join(installed, 'node_modules/typescript'))).rejects.toThrow('ENOENT')
  })

  it('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect((await pave(['--version'])).stdout).toContain(version)
  })

  it('starts everything with `pave up`, and its commands work on that', async () => {
    const [port, inferencePort] = await freePorts(2)
    const place = {
      PAVE_DATA_DIR: join(folder, 'data'),
      PAVE_PORT: String(port),
      PAVE_INFERENCE_PORT: String(inferencePort),
    }
    const up = spawn(join(installed, 'node_modules/.bin/pave'), ['up'], {
      cwd: installed,
      env: { ...newShell, ...place },
    })
    let said = ''
    for (const stream of [up.stdout, up.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
    const ended = new Promise((resolve) => up.on('exit', resolve))
    await eventually(() => {
      if (up.exitCode !== null) throw new Error(said)
      return said.includes('Sign in once')
    })
    const page = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } })
    expect(await page.text()).toContain('<script type="module"')
    const example = join(installed, 'node_modules/pave/dist/package/examples/flight-delays')
    await pave(['apply', example], place)
    expect((await pave(['list-models', '--json'], place)).stdout).toContain('"flight-delays"')
    const ready = await fetch(`http://127.0.0.1:${inferencePort}/v2/health/live`)
    expect(ready.status).toBe(200)
    up.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  it('plays the whole demo', { timeout: 900_000 }, async () => {
    const [port, inferencePort] = await freePorts(2)
    const summary = join(folder, 'demo.json')
    const flags = ['--data-dir', join(folder, 'demo'), '--port', `${port}`, '--inference-port', `${inferencePort}`]
    // A short season that still has everything in it.
    await pave(['demo', '--exit', '--json', summary, '--until', '2001-05-13', ...flags])
    const told = JSON.parse(await readFile(summary, 'utf8'))
    expect(told).toMatchObject({
      failed_requests: 0,
      ledger: { verified: true },
      retrained: 'flight-delays@3',
      rollback: { version: 'flight-delays@4' },
    })
    expect(told.requests).toBeGreaterThan(5_000)
  })
})
