import { lstat, opendir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepResources, StepStatus } from './compute.ts'
import { cpuSecondsOf, memoryOf, sharedOnceMb } from './processes.ts'

/** Why an attempt is ended before its own end. */
export interface Breach {
  status: StepStatus
  reason: string
}

/** More files than this are a fault, whatever their size: they use up the inodes of the disk. */
const mostFiles = 200_000

/** Below this the disk counts as full: what is left is for Pave and its database. */
const leastFreeMb = 64

/** What the processes of a step use now, and which of their limits that breaks. */
export function checkProcesses(
  pids: readonly number[],
  limits: StepResources,
): { residentMb: number; breach?: Breach } {
  const { residentMb, anonymousMb } = memoryOf(pids)
  if (anonymousMb > limits.memoryMb && sharedOnceMb(pids) > limits.memoryMb)
    return {
      residentMb,
      breach: { status: 'out_of_memory', reason: `It used more than its ${limits.memoryMb} MB of memory.` },
    }
  if (pids.length > limits.processes)
    return {
      residentMb,
      breach: { status: 'failed', reason: `It had more than its ${limits.processes} processes at once.` },
    }
  if (limits.cpuSeconds !== undefined && cpuSecondsOf(pids) > limits.cpuSeconds)
    return { residentMb, breach: cpuTimeUsed(limits.cpuSeconds) }
  return { residentMb }
}

export function cpuTimeUsed(seconds: number): Breach {
  return { status: 'timed_out', reason: `It used more than its ${seconds} seconds of CPU time.` }
}

/** Whether the step wrote more below its directory than it may, inputs not counted, or the disk is full. */
export async function checkDisk(work: string, limits: StepResources): Promise<Breach | undefined> {
  const written = { bytes: 0, files: 0 }
  await measure(work, written, 'inputs')
  if (written.files >= mostFiles)
    return { status: 'out_of_disk', reason: `It left more than ${mostFiles} files in its directory.` }
  if (written.bytes >= limits.diskMb * 1024 * 1024)
    return { status: 'out_of_disk', reason: `It wrote more than its ${limits.diskMb} MB of disk.` }
  const disk = await statfs(work).catch(() => undefined)
  if (disk !== undefined && disk.bavail * disk.bsize < leastFreeMb * 1024 * 1024)
    return { status: 'out_of_disk', reason: `The disk of ${work} has less than ${leastFreeMb} MB left.` }
  return undefined
}

/** Adds up what is below; files come and go meanwhile, and a step may close a directory to us. */
async function measure(path: string, written: { bytes: number; files: number }, skipped?: string): Promise<void> {
  try {
    for await (const entry of await opendir(path)) {
      if (entry.name === skipped || written.files >= mostFiles) continue
      written.files += 1
      const child = join(path, entry.name)
      if (entry.isDirectory()) await measure(child, written)
      else written.bytes += (await lstat(child)).blocks * 512
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
}
