import { once } from 'node:events'
import { readdir, readFile, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { locateBinaries } from '#platform/storage/database/embedded/binaries.ts'
import { type Check, type Finding, fail, ok, reasonOf, type Site, skipped, warn } from './check.ts'

const leastNode = [24, 15] as const
const gibibyte = 2 ** 30
/** Filesystems over a network, no place for a database: NFS, SMB, CIFS, 9p. */
const networkFilesystems = [0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997]

/** What does not depend on anything of Pave. */
export const machineChecks: Check[] = [
  { name: 'node', look: async () => [judgeNode(process.versions.node)] },
  { name: 'disk', look: lookAtDisk },
  { name: 'logs', look: lookAtLogs },
  { name: 'ports', look: lookAtPorts },
  { name: 'postgres-binaries', look: lookAtBinaries },
]

export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1])) return ok('node', `Node ${version}`)
  return fail(
    'node-old',
    `This is Node ${version}`,
    `Pave needs Node ${leastNode.join('.')} or newer`,
    'install Node 24, or use the one that comes with Pave: npm install --include=optional',
  )
}

/** Writing stops with the last byte, and what was acknowledged needs room to be kept. */
export function judgeSpace(free: number, directory: string): Finding {
  const what = `${(free / gibibyte).toFixed(1)} GiB are free on the disk of ${directory}`
  const why = 'On a full disk nothing is acknowledged any more: no predictions recorded, no runs, no releases'
  if (free < gibibyte) return fail('disk-full', what, why, `du -xh --max-depth=2 ${directory} | sort -h | tail`)
  if (free < 5 * gibibyte) return warn('disk-filling', what, why, `du -xh --max-depth=2 ${directory} | sort -h | tail`)
  return ok('disk', what)
}

async function lookAtDisk({ dataDir, config }: Site): Promise<Finding[]> {
  const { bavail, bsize, type } = await statfs(await existingPart(dataDir))
  const findings = [judgeSpace(bavail * bsize, dataDir)]
  if (config.databaseUrl === undefined && networkFilesystems.includes(type)) {
    findings.push(
      warn(
        'disk-on-network',
        `${dataDir} lies on a network filesystem`,
        'The bundled PostgreSQL and online features rely on locks and memory maps, which do not hold there',
        'move the data directory to a local disk, and set PAVE_DATA_DIR; or use a DATABASE_URL',
      ),
    )
  }
  return findings
}

async function existingPart(path: string): Promise<string> {
  return (await stat(path).catch(() => undefined)) === undefined ? existingPart(dirname(path)) : path
}

async function lookAtLogs({ dataDir }: Site): Promise<Finding[]> {
  const directory = join(dataDir, 'logs')
  let bytes = 0
  for (const name of await readdir(directory).catch(() => [])) {
    bytes += (await stat(join(directory, name)).catch(() => undefined))?.size ?? 0
  }
  const what = `${(bytes / 2 ** 20).toFixed(0)} MiB of logs in ${directory}`
  if (bytes < gibibyte) return [ok('logs', what)]
  const why = 'They grow until the disk is full'
  return [warn('logs-large', what, why, `ls -lhS ${directory}`, 'have logrotate cut them, with copytruncate')]
}

async function lookAtPorts(site: Site): Promise<Finding[]> {
  const { config, running } = site
  if (running) return [skipped('ports', 'Pave is running, and holds its ports itself')]
  const findings: Finding[] = []
  for (const [name, port] of [
    ['PAVE_PORT', config.port],
    ['PAVE_INFERENCE_PORT', config.inferencePort],
  ] as const) {
    findings.push(await lookAtPort(config.host, port, name))
  }
  return findings
}

async function lookAtPort(host: string, port: number, name: string): Promise<Finding> {
  const trial = createServer()
  try {
    trial.listen(port, host)
    await once(trial, 'listening')
    return ok('ports', `${host}:${port} is free for ${name}`)
  } catch (error) {
    const { what } = reasonOf(error)
    return fail(
      'port-taken',
      `Nothing can listen on ${host}:${port}: ${what}`,
      '`pave up` does not start',
      `ss -ltnp 'sport = :${port}'`,
      `${name}=${port + 10} pave up`,
    )
  } finally {
    trial.close()
  }
}

async function lookAtBinaries({ config, dataDir }: Site): Promise<Finding[]> {
  if (config.databaseUrl !== undefined) return [skipped('postgres-binaries', 'DATABASE_URL is used instead')]
  try {
    const { version } = await locateBinaries()
    const made = await readFile(join(dataDir, 'postgres', 'PG_VERSION'), 'utf8').catch(() => undefined)
    if (made === undefined || version.startsWith(`${made.trim()}.`)) {
      return [ok('postgres-binaries', `the bundled PostgreSQL is ${version}`)]
    }
    return [
      fail(
        'postgres-other-version',
        `${dataDir} was made by PostgreSQL ${made.trim()}, the bundled one is ${version}`,
        'A newer PostgreSQL does not start on the files of an older one',
        'with the old version of Pave: pave backup --to PLACE',
        'with the new one and an empty PAVE_DATA_DIR: pave restore PLACE',
      ),
    ]
  } catch (error) {
    const { what, hint } = reasonOf(error)
    return [fail('postgres-binaries-missing', what, 'There is no database without it', ...hint)]
  }
}

const Holder = z.object({ pid: z.number(), command: z.string(), host: z.string() })

/** Who holds the data directory, as far as it wrote itself down. */
export async function readHolder(dataDir: string): Promise<z.output<typeof Holder> | undefined> {
  const text = await readFile(join(dataDir, 'run', 'holder.json'), 'utf8').catch(() => undefined)
  try {
    return text === undefined ? undefined : Holder.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
