import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { whoami } from '#modules/identity/contract.ts'
import { createClient } from '#platform/surfaces/client.ts'
import { consoleDirectory } from '../../console/build.ts'
import { readClientFile } from '../bootstrap.ts'
import { type Check, type Finding, fail, ok, reasonOf, type Site, skipped, warn } from './check.ts'

export const accessChecks: Check[] = [
  { name: 'client', look: lookAtClient },
  { name: 'console', look: lookAtConsole },
]

/** As every other command on this machine would. */
async function lookAtClient({ config, dataDir, running }: Site): Promise<Finding[]> {
  const known = await readClientFile(dataDir)
  const url = config.url ?? known?.url
  const token = config.token ?? (config.url === undefined ? known?.token : undefined)
  if (url === undefined || (!running && config.url === undefined)) {
    return [skipped('client', 'no control plane runs here, and PAVE_URL names none')]
  }
  try {
    const me = await createClient({ url, token }).call(whoami, {})
    return [ok('client', `${url} answers, and knows you as ${me.name} in the workspace ${me.workspace.name}`)]
  } catch (error) {
    const { what, hint } = reasonOf(error)
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const why = 'No command on this machine reaches Pave'
    if (code === 'unreachable') return [fail('control-plane-unreachable', what, why, ...hint)]
    return [
      fail(
        'client-refused',
        what,
        why,
        `mv ${join(dataDir, 'client.json')} away and start \`pave up\` again: it makes a token`,
      ),
    ]
  }
}

async function lookAtConsole(): Promise<Finding[]> {
  const built = await stat(join(consoleDirectory, 'index.html')).catch(() => undefined)
  if (built !== undefined) return [ok('console', `built at ${built.mtime.toISOString()}`)]
  return [
    warn(
      'console-not-built',
      'The console is not built',
      '`pave up` builds it at its start, which takes a while',
      'npm run build:console',
    ),
  ]
}
