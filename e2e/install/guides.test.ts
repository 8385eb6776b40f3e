import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inheritedEnvironment } from '#platform/config.ts'
import { outsideProgram } from '../backends/outside-program.ts'
import { processesOf } from '../support/processes.ts'
import { freePorts, kill } from '../support/start-pave.ts'
import { eventually } from '../support/wait.ts'
import { type Block, readGuide } from './read-guide.ts'

const root = join(import.meta.dirname, '../..')
const howTo = (await readdir(join(root, 'docs/how-to')))
  .filter((file) => file.endsWith('.md') && file !== 'README.md')
  .sort()

/** Every command of the guides is typed as it stands, in the order of the page, in a directory like a fresh checkout. */
describe('the guides', { timeout: 1_200_000 }, () => {
  it.for(['docs/tutorial.md', ...howTo.map((file) => `docs/how-to/${file}`)])('%s', async (page, { skip }) => {
    const { blocks, notRun, needs } = readGuide(await readFile(join(root, page), 'utf8'))
    for (const reason of notRun) console.log(`${page}: a block is not run: ${reason}`)
    expect(blocks.length + notRun.length).toBeGreaterThan(0)
    skip(needs.map((program) => outsideProgram(program)).some((program) => 'missing' in program))
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
  await mkdir(join(folder, 'path'))
  await writeFile(join(folder, 'path/pave'), `#!/bin/sh\nexec node "${root}/bin/pave.mjs" "$@"\n`, { mode: 0o755 })
  const script = join(folder, 'guide.sh')
  const { text, ports } = await withFreePorts(
    ['set -eum', 'shopt -s expand_aliases', "trap 'tail -n 50 said.* 2>/dev/null' EXIT", ...blocks.map(asTyped)].join(
      '\n',
    ),
  )
  await writeFile(script, text)
  const child = spawn('bash', [script], {
    cwd: folder,
    env: {
      ...inheritedEnvironment(),
      HOME: folder,
      PATH: `${join(folder, 'path')}:${inheritedEnvironment()['PATH']}`,
      PAVE_PORT: `${ports.get('7400')}`,
      PAVE_INFERENCE_PORT: `${ports.get('7401')}`,
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

/** Every port of the guides (74xx) becomes one that nobody has on this machine. */
async function withFreePorts(script: string) {
  const named = [...new Set(['7400', '7401', ...[...script.matchAll(/\b74\d\d\b/g)].map(([port]) => port)])]
  const free = await freePorts(named.length)
  const ports = new Map(named.map((port, index) => [port, free[index]]))
  return { ports, text: script.replace(/\b74\d\d\b/g, (port) => `${ports.get(port)}`) }
}

/** With job control (`set -m`), a background program is a process group of its own, as in a terminal. */
function asTyped({ line, background, script }: Block): string {
  const announced = `echo '--- line ${line}' >&2`
  if (background === undefined) return `${announced}\n${script}`
  const end = background.again ? 'kill -INT -- -$running; wait $running || true\n' : ''
  const start = `{\n${script}\n} >said.${line} 2>&1 &\nrunning=$!`
  return `${announced}\n${end}${start}\nuntil grep -qF '${background.until}' said.${line}; do kill -0 $running; sleep 0.1; done`
}
