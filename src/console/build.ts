import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { platformFailure } from '../platform/errors.ts'

const root = join(import.meta.dirname, '..', '..')

/** Where the built console is. */
export const consoleDirectory = join(root, 'dist', 'console')

/** Files that decide on the result though no module imports them. */
const settings = [
  'src/console/build.ts',
  'vite.config.ts',
  'package-lock.json',
  'src/console/index.html',
  'src/console/favicon.svg',
]

/**
 * In a checkout: builds the console when it was never built, or when a file that it was built from has changed.
 * A process of its own builds, so that the bundler's memory and settings are gone when it is done (about 3 s).
 */
export async function buildConsoleIfStale(onProgress: (text: string) => void = () => {}): Promise<void> {
  if (await isFresh()) return
  onProgress('building the console')
  const child = spawn(process.execPath, [import.meta.filename], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    // Whatever the caller's is: under a test runner the bundler would take React's slower, larger half.
    env: { NODE_ENV: 'production' },
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const [code] = await once(child, 'close')
  if (code === 0) return
  throw platformFailure('console_not_built', `The console could not be built: ${complaint.trim()}`, {
    hint: 'Mend what the message names, or reinstall the dependencies with `npm ci`; `npm run build:console` tries again.',
  })
}

/** Built aside and moved into place, so that nobody is served half a console. */
async function buildConsole(): Promise<void> {
  const { build } = await import('vite')
  const aside = `${consoleDirectory}-${process.pid}`
  try {
    const result = await build({
      configFile: join(root, 'vite.config.ts'),
      root: import.meta.dirname,
      logLevel: 'warn',
      build: { outDir: aside },
    })
    const chunks = [result].flat().flatMap((built) => ('output' in built ? built.output : []))
    const modules = chunks.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []))
    await writeFile(join(aside, '.sources.json'), JSON.stringify(await digestsOf(ownFiles(modules)), null, 1))
    await rm(consoleDirectory, { recursive: true, force: true })
    await rename(aside, consoleDirectory).catch(async (error) => {
      if (!(await isFresh())) throw error
    })
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

/** What the bundle holds of this repository; dependencies change with the lock file. */
function ownFiles(modules: readonly string[]): string[] {
  const files = modules
    .map((id) => relative(root, id.replace(/^\0/, '').replace(/\?.*$/, '')))
    .filter((path) => path.startsWith('src/'))
  return [...new Set([...settings, ...files])].sort()
}

async function isFresh(): Promise<boolean> {
  // The published package holds the built console and nothing to build it from.
  if (!existsSync(join(root, 'vite.config.ts'))) return true
  const marker = await readFile(join(consoleDirectory, '.sources.json'), 'utf8').catch(() => undefined)
  if (marker === undefined) return false
  const built: Record<string, string> = JSON.parse(marker)
  const now = await digestsOf(Object.keys(built))
  return Object.entries(built).every(([path, digest]) => now[path] === digest)
}

async function digestsOf(paths: readonly string[]): Promise<Record<string, string>> {
  const digests = paths.map(async (path) => {
    const bytes = await readFile(join(root, path)).catch(() => '')
    return [path, createHash('sha256').update(bytes).digest('hex')] as const
  })
  return Object.fromEntries(await Promise.all(digests))
}

if (import.meta.main) await buildConsole()
