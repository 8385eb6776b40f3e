import { execFile } from 'node:child_process'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Isolation } from './compute.ts'

/** What a launcher puts between the supervisor and the step. */
export interface Confinement {
  /** The step's own directory, which holds `run.sh`. */
  work: string
  /** The uid that the step runs under where the launcher gives it one. */
  uid: number
  /** Hidden from the step where it shares our uid. */
  dataDir: string
  /** What it sees of it besides its own directory. */
  environment: { directory: string; writable: boolean } | undefined
}

/** One way to start `sh run.sh` kept apart from Pave. */
export interface Launcher {
  isolation: Isolation
  /** Runs every workspace under its own uid. */
  ownUid: boolean
  /** A process namespace: when its first process ends, so does every other, wherever it went. */
  ownProcesses: boolean
  command(confinement: Confinement): string[]
}

/** The first uid of the range for workspaces; this one itself is for trying out. */
export const firstUid = 200_000

const processNamespace = ['--pid', '--fork', '--kill-child', '--mount-proc']

const changeUid = (uid: number) => [
  'setpriv',
  ...['--reuid', String(uid), '--regid', String(uid), '--clear-groups'],
  ...['--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--'],
]

const confine = join(import.meta.dirname, 'confine.sh')

export const uidAndProcesses: Launcher = {
  isolation: { kind: 'uid', detail: 'Each workspace has its own uid, each attempt its own process namespace.' },
  ownUid: true,
  ownProcesses: true,
  command: ({ work, uid }) => ['unshare', ...processNamespace, '--', ...changeUid(uid), 'sh', `${work}/run.sh`],
}

export const uidOnly: Launcher = {
  isolation: {
    kind: 'uid',
    detail: 'Each workspace has its own uid; process namespaces need CAP_SYS_ADMIN, which is missing here.',
  },
  ownUid: true,
  ownProcesses: false,
  command: ({ work, uid }) => [...changeUid(uid), 'sh', `${work}/run.sh`],
}

export const userNamespace: Launcher = {
  isolation: {
    kind: 'user_namespace',
    detail:
      "Each attempt sees its own processes only and nothing of Pave's data, and can write nowhere else; start Pave as root for a uid per workspace.",
  },
  ownUid: false,
  ownProcesses: true,
  command: ({ work, dataDir, environment }) => [
    ...['unshare', '--user', '--map-root-user', '--mount', ...processNamespace, '--'],
    ...['sh', confine, dataDir, work],
    ...(environment === undefined ? [] : [environment.directory, environment.writable ? 'rw' : 'ro']),
  ],
}

export const unconfined: Launcher = {
  isolation: {
    kind: 'none',
    detail:
      'Steps run as Pave itself. Allow unprivileged user namespaces; or start Pave as root with `setpriv` (util-linux) and a data directory that others may pass through.',
  },
  ownUid: false,
  ownProcesses: false,
  command: ({ work }) => ['sh', `${work}/run.sh`],
}

/** The strongest launcher that works here, found by trying each one. */
export async function findLauncher(dataDir: string, asRoot: boolean): Promise<Launcher> {
  const candidates = asRoot ? [uidAndProcesses, uidOnly, userNamespace] : [userNamespace]
  for (const launcher of candidates) {
    if (await launcherWorks(launcher, dataDir)) return launcher
  }
  return unconfined
}

/** Tries an empty step. */
export async function launcherWorks(launcher: Launcher, dataDir: string): Promise<boolean> {
  const work = await mkdtemp(join(dataDir, 'isolation-'))
  try {
    await writeFile(join(work, 'run.sh'), 'exit 0\n', { mode: 0o444 })
    if (launcher.ownUid) await chown(work, firstUid, firstUid)
    const [program = '', ...rest] = launcher.command({ work, uid: firstUid, dataDir, environment: undefined })
    await promisify(execFile)(program, rest, { timeout: 5000 })
    return true
  } catch {
    return false
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
