import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '../..')

/** What a new shell on this machine has: the settings of npm, Pave and the tests of this process are not in it. */
export const newShell = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|PAVE_|VITEST|NODE_ENV)/.test(name)),
)

/** What `npm pack` makes of this checkout, in a folder; answers its path. */
export async function pack(folder: string): Promise<string> {
  const args = ['pack', '--json', '--pack-destination', folder]
  const { stdout } = await promisify(execFile)('npm', args, {
    cwd: root,
    env: newShell,
    maxBuffer: 8_000_000,
  })
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  return join(folder, packed.filename)
}
