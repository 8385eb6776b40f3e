import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inheritedEnvironment } from '#platform/config.ts'

const root = join(import.meta.dirname, '../..')

/** A new shell's; where a proxy stands before the registry, this system's authorities vouch for it. */
export const npmEnvironment = {
  ...inheritedEnvironment(),
  NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt',
}

/** What `npm pack` makes of this checkout, in a folder; answers its path. */
export async function pack(folder: string): Promise<string> {
  const args = ['pack', '--json', '--pack-destination', folder]
  const { stdout } = await promisify(execFile)('npm', args, {
    cwd: root,
    env: npmEnvironment,
    maxBuffer: 8_000_000,
  })
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  return join(folder, packed.filename)
}
