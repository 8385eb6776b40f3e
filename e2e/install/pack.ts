import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inheritedEnvironment } from '#platform/config.ts'

const root = join(import.meta.dirname, '../..')

/** What `npm pack` makes of this checkout, in a folder; answers its path. */
export async function pack(folder: string): Promise<string> {
  const args = ['pack', '--json', '--pack-destination', folder]
  const { stdout } = await promisify(execFile)('npm', args, {
    cwd: root,
    env: inheritedEnvironment(),
    maxBuffer: 8_000_000,
  })
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  return join(folder, packed.filename)
}
