import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

export interface FoundProcess {
  pid: number
  command: string
}

/** Every living process that works in the directory or was told of it. */
export function processesOf(dataDir: string): FoundProcess[] {
  return readdirSync('/proc').flatMap((name): FoundProcess[] => {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) return []
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ')
    try {
      if (/^State:\s+[ZX]/m.test(read('status'))) return []
      const command = read('cmdline')
      const traces = [command, readlinkSync(`/proc/${pid}/cwd`), read('environ')]
      return traces.some((trace) => trace.includes(dataDir)) ? [{ pid, command: command.trim() }] : []
    } catch {
      // It ended while it was looked at, or belongs to somebody else.
      return []
    }
  })
}

/** The inference nodes that run in the directory. */
export function nodesOf(dataDir: string): number[] {
  return processesOf(dataDir)
    .filter(({ command }) => command.includes('cli.ts serve '))
    .map(({ pid }) => pid)
}

/** The postmaster, which writes its pid down; undefined while there is none. */
export function postmasterOf(dataDir: string): number | undefined {
  try {
    const [pid] = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')
    return processesOf(dataDir).find((found) => found.pid === Number(pid))?.pid
  } catch {
    return undefined
  }
}
