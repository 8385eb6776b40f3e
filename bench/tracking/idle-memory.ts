import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { processesOf } from '../../e2e/support/processes.ts'

const settleMs = 60_000

/** Megabytes of all processes at work in the directory, what they share counted once (PSS), when nobody has asked for a while. */
export async function idleMemory(directory: string): Promise<number> {
  await pause(settleMs)
  const kilobytes = processesOf(directory).map(({ pid }) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1])
  })
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024
}
