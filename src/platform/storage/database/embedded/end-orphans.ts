import { execFile } from 'node:child_process'
import { readdir, readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

interface ServerProcess {
  pid: number
  /** The postmaster, which listens and starts the others. */
  leads: boolean
}

/**
 * Ends what an earlier start of this cluster left behind: a postmaster that outlived its Pave, or backends that outlived
 * their postmaster, whose shared memory keeps the next one from starting. `lockFiles` are those that a postmaster leaves
 * when it is killed. Returns how many processes there were.
 */
export async function endOrphans(clusterName: string, lockFiles: readonly string[]): Promise<number> {
  const processes = () => serverProcesses(clusterName)
  const leaders = async () => (await processes()).filter(({ leads }) => leads)
  const orphans = await processes()
  const postmaster = orphans.filter(({ leads }) => leads)
  if (postmaster.length > 0)
    await escalate(
      (signal) => sendTo(postmaster, signal),
      until(async () => (await leaders()).length === 0),
    )
  sendTo(await processes(), 'SIGKILL')
  await until(async () => (await processes()).length === 0)
  for (const file of lockFiles) await removeStaleLock(file)
  return orphans.length
}

/**
 * PostgreSQL takes a lock for held while any process has the number in it: a killed postmaster that nobody has waited for
 * yet, as in a container without an init, or a stranger that got its number after a restart of the machine.
 */
async function removeStaleLock(lockFile: string): Promise<void> {
  const [pid] = (await readFile(lockFile, 'utf8').catch(() => '')).split('\n')
  // A zombie has a command line, and nothing is in it.
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => 'postgres')
  if (!command.includes('postgres')) await rm(lockFile, { force: true })
}

/** Asks a server to stop, first with a checkpoint (fast), then without (immediate), then not at all. */
export async function escalate(send: (signal: NodeJS.Signals) => void, ended: Promise<unknown>): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    send(signal)
    if (await within(ended, patience)) return
  }
  send('SIGKILL')
  await ended
}

async function within(ended: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const patience = new AbortController()
  const first = await Promise.race([
    ended.then(() => true),
    sleep(milliseconds, false, { signal: patience.signal }).catch(() => false),
  ])
  patience.abort()
  return first
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20)
}

function sendTo(processes: ServerProcess[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

/**
 * Found by the cluster's name, which PostgreSQL shows in the command line of all its processes: the working directory,
 * the other thing they share, is hidden from root in a container.
 */
async function serverProcesses(clusterName: string): Promise<ServerProcess[]> {
  const found: ServerProcess[] = []
  for (const { pid, command } of await commands()) {
    const leads = command.includes('/bin/postgres -D ') && command.includes(`cluster_name=${clusterName}`)
    if (leads || command.startsWith(`postgres: ${clusterName}: `)) found.push({ pid, leads })
  }
  return found
}

async function commands(): Promise<{ pid: number; command: string }[]> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,command='], { maxBuffer: 16 << 20 })
    return [...stdout.matchAll(/^ *(\d+) (.*)$/gm)].map(([, pid, command]) => ({
      pid: Number(pid),
      command: command ?? '',
    }))
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      // A process may be gone by now, and a zombie has no command line.
      command: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '),
    })),
  )
}
