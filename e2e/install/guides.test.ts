import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inheritedEnvironment } from '#platform/config.ts'
import { processesOf } from '../support/processes.ts'
import { freePorts, kill } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { type Block, readGuide } from './read-guide.ts'

const root = join(import.meta.dirname, '../..')
const howTo = (await readdir(join(root, 'docs/how-to'))).filter((file) => file.endsWith('.md')).sort()

/** Every command of the guides is typed as it stands, in the order of the page, in a directory like a fresh checkout. */
describe('the guides', { timeout: 600_000 }, () => {
  it.each(['docs/tutorial.md', ...howTo.map((file) => `docs/how-to/${file}`)])('%s', async (page) => {
    const { blocks, notRun } = readGuide(await readFile(join(root, page), 'utf8'))
    for (const reason of notRun) console.log(`${page}: a block is not run: ${reason}`)
    expect(blocks.length + notRun.length).toBeGreaterThan(0)
    if (blocks.length === 0) return
    const { code, said } = await type(blocks)
    expect(code, said).toBe(0)
  })
})

/** Types the blocks into one shell; answers its exit code, and what it and its background programs said. */
async function type(blocks: readonly Block[]): Promise<{ code: number; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'pave-guide-'))
  onTestFinished(async () => {
    for (const { pid } of processesOf(folder)) kill(pid, 'SIGKILL')
    await eventually(() => processesOf(folder).length === 0)
    await rm(folder, { recursive: true, force: true })
  })
  await chmod(folder, 0o711)
  for (const name of [
    'bin',
    'examples',
    'demo',
    'deploy',
    'src',
    'node_modules',
    'package.json',
    'package-lock.json',
  ]) {
    await symlink(join(root, name), join(folder, name))
  }
  const script = join(folder, 'guide.sh')
  const [port = 0, inferencePort = 0] = await freePorts(2)
  const text = ['set -eu', 'shopt -s expand_aliases', ...blocks.map(asTyped)].join('\n')
  await writeFile(script, text.replaceAll(':7400', `:${port}`).replaceAll(':7401', `:${inferencePort}`))
  const child = spawn('bash', [script], {
    cwd: folder,
    env: {
      ...inheritedEnvironment(),
      HOME: folder,
      PAVE_PORT: String(port),
      PAVE_INFERENCE_PORT: String(inferencePort),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      said = (said + part).slice(-20_000)
    })
  }
  const code = await new Promise<number>((resolve) => child.on('exit', (status) => resolve(status ?? 1)))
  return { code, said }
}

/** A background program is ready when it answers; `pave up` says so by its health. */
function asTyped({ line, background, script }: Block): string {
  const typed = background
    ? `{\n${script}\n} &\nuntil curl -sfo /dev/null http://127.0.0.1:7400/health; do kill -0 $! && sleep 0.2; done`
    : script
  return `echo '--- line ${line}' >&2\n${typed}`
}
