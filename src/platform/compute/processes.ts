import { readdirSync, readFileSync } from 'node:fs'

/** The processes of this machine, by the pid of their parent. */
export type ProcessTable = ReadonlyMap<number, readonly number[]>

/** One reading of Linux's /proc; what ends meanwhile is left out. */
export function readProcessTable(): ProcessTable {
  const children = new Map<number, number[]>()
  for (const pid of pids()) {
    const parent = parentOf(pid)
    if (parent === undefined) continue
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [pid])
    else siblings.push(pid)
  }
  return children
}

/** Everything below a process, parents before children. */
export function descendantsOf(table: ProcessTable, root: number): number[] {
  const found: number[] = []
  const waiting = [root]
  for (let pid = waiting.shift(); pid !== undefined; pid = waiting.shift()) {
    const children = table.get(pid) ?? []
    found.push(...children)
    waiting.push(...children)
  }
  return found
}

/** Processes that were started with this variable, whatever became of their parents. */
export function processesMarked(name: string, value: string): number[] {
  const marker = `${name}=${value}`
  return pids().filter((pid) => read(`/proc/${pid}/environ`)?.split('\0').includes(marker))
}

/** The argument vector; empty for a process that has ended. */
export function commandOf(pid: number): string[] {
  return (read(`/proc/${pid}/cmdline`) ?? '').split('\0').slice(0, -1)
}

/** `anonymous` is what cannot be dropped: without the pages of mapped files. */
export interface MemoryUse {
  residentMb: number
  anonymousMb: number
}

export function memoryOf(pids: readonly number[]): MemoryUse {
  const use = { residentMb: 0, anonymousMb: 0 }
  for (const pid of pids) {
    const status = read(`/proc/${pid}/status`) ?? ''
    use.residentMb += megabytes(status, 'VmRSS')
    use.anonymousMb += megabytes(status, 'RssAnon') + megabytes(status, 'RssShmem')
  }
  return use
}

/** The same as `anonymousMb`, pages that processes share counted once: exact, and slow for large processes. */
export function sharedOnceMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const rollup = read(`/proc/${pid}/smaps_rollup`)
    if (rollup === undefined || !rollup.includes('Pss_Anon:')) return sum + memoryOf([pid]).anonymousMb
    return sum + megabytes(rollup, 'Pss_Anon') + megabytes(rollup, 'Pss_Shmem')
  }, 0)
}

/** CPU time of these processes and of the children that they have waited for. */
export function cpuSecondsOf(pids: readonly number[]): number {
  const ticksPerSecond = 100
  const ticks = pids.reduce((sum, pid) => {
    const fields = statOf(pid) ?? []
    return sum + fields.slice(11, 15).reduce((total, field) => total + Number(field), 0)
  }, 0)
  return ticks / ticksPerSecond
}

/** Sends a signal to each; those that have ended, or became another user's, are passed over. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')))
        throw error
    }
  }
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function parentOf(pid: number): number | undefined {
  const parent = statOf(pid)?.[1]
  return parent === undefined ? undefined : Number(parent)
}

/** The fields after the name, which may itself hold spaces and brackets: state, ppid, … (proc_pid_stat(5)). */
function statOf(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function megabytes(text: string, field: string): number {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]
  return Number(kilobytes ?? 0) / 1024
}

/** undefined when the process has ended, or belongs to somebody whom we may not look into. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // Anything else, such as too many open files, says nothing about the process.
    if (error instanceof Error && 'code' in error && unreadable.has(String(error.code))) return undefined
    throw error
  }
}

const unreadable: ReadonlySet<string> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'])
