import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, glob, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../../support/start-pave.ts'

const root = join(import.meta.dirname, '../../..')
const cache = join(root, 'node_modules/.cache')
const prefix = 'pave-demo-data-'
/** The console tells of the last 24 hours, and the tests want to see what it tells. */
const goodForMs = 12 * 3_600_000

/**
 * The data directory that a finished demo leaves, made once for each content of the demo and its example (about three
 * minutes). The rest of the code may change freely: newer tables are migrated to, as for any user. Never start Pave on
 * it: start it on a copy. Nothing smaller would do: with fewer requests the monitors rightly find no drift.
 */
export async function demoData(): Promise<string> {
  const folder = join(cache, `${prefix}${await digestOfSources()}`)
  const madeAt = await stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.NEGATIVE_INFINITY,
  )
  if (Date.now() - madeAt < goodForMs) return folder
  process.stderr.write('playing the demo through once, for its data (about three minutes) …\n')
  const scratch = await mkdtemp(join(tmpdir(), 'pave-demo-'))
  try {
    // Reachable for PostgreSQL's account, which is another one when the tests run as root.
    await chmod(scratch, 0o711)
    const made = join(scratch, 'demo')
    await playDemo(made)
    await mkdir(cache, { recursive: true })
    await forgetOlder()
    await copyDirectory(made, `${folder}.new`)
    await rename(`${folder}.new`, folder)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return folder
}

/** With owners and modes: PostgreSQL refuses data that others may read. */
export async function copyDirectory(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to])
}

async function digestOfSources(): Promise<string> {
  const patterns = ['demo/*.ts', 'examples/flight-delays/**/*.{ts,yaml}']
  const digest = createHash('sha256')
  const files: string[] = []
  for await (const file of glob(patterns, { cwd: root })) files.push(file)
  for (const file of files.sort()) digest.update(file).update(await readFile(join(root, file)))
  return digest.digest('hex').slice(0, 16)
}

async function playDemo(dataDir: string): Promise<void> {
  const [port, inferencePort] = await freePorts(2)
  const args = ['--exit', '--data-dir', dataDir, '--port', port, '--inference-port', inferencePort]
  const child = spawn(process.execPath, [join(root, 'demo/run-demo.ts'), ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`the demo ended with ${code}:\n${said.slice(-4000)}`)
}

async function forgetOlder(): Promise<void> {
  const names = await readdir(cache)
  const older = names.filter((name) => name.startsWith(prefix))
  await Promise.all(older.map((name) => rm(join(cache, name), { recursive: true, force: true })))
}
