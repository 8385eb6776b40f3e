import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { AttemptPaths } from './attempt-directory.ts'
import type { StepResult } from './compute.ts'
import { type Breach, checkDisk, cpuTimeUsed } from './limits.ts'
import { readJson } from './read-json.ts'

/** What Pave keeps of a spec to judge the end by. */
export const AttemptRecord = z.object({
  workspace: z.string(),
  command: z.string(),
  outputs: z.array(z.string()),
  resources: z.object({
    memoryMb: z.number(),
    diskMb: z.number(),
    processes: z.number(),
    cpuSeconds: z.number().exactOptional(),
  }),
  timeoutMs: z.number(),
  /** The uid that outputs must have; undefined where steps run under ours. */
  owner: z.number().optional(),
  /** The environment that it is to fill. */
  makes: z.string().optional(),
})
export type AttemptRecord = z.infer<typeof AttemptRecord>

/** A StepResult as it is kept beside the attempt. */
export const StoredResult = z
  .object({
    status: z.enum(['succeeded', 'failed', 'timed_out', 'cancelled', 'out_of_memory', 'out_of_disk', 'lost']),
    exitCode: z.number().optional(),
    signal: z.string().optional(),
    startedAt: z.string().optional(),
    endedAt: z.string().optional(),
    usage: z.object({ cpuMs: z.number(), maxRssMb: z.number() }),
    outputs: z.record(z.string(), z.string()),
    reason: z.string(),
  })
  .transform(
    (stored): StepResult => ({
      exitCode: undefined,
      signal: undefined,
      startedAt: undefined,
      endedAt: undefined,
      ...stored,
    }),
  )

const Stop = z.object({
  status: z.enum(['failed', 'timed_out', 'cancelled', 'out_of_memory', 'out_of_disk']),
  reason: z.string(),
})

interface Exit {
  code: number
  cpuMs: number
  endedAt: string
}

/** How an attempt ended, from the files that it left. Its supervisor must be gone. */
export async function judgeAttempt(
  at: AttemptPaths,
  record: AttemptRecord | undefined,
  maxRssMb: number,
): Promise<StepResult> {
  const exit = await readExit(at)
  const startedAt = await modifiedAt(at.supervisor)
  const signal = exit !== undefined && exit.code > 128 ? signalName(exit.code - 128) : undefined
  const facts = {
    exitCode: exit?.code,
    signal,
    startedAt,
    endedAt: exit?.endedAt,
    usage: { cpuMs: exit?.cpuMs ?? 0, maxRssMb: Math.round(maxRssMb) },
    outputs: {},
  }
  const stopped = await readJson(at.stop, Stop)
  if (stopped !== undefined) return { ...facts, ...stopped }
  if (record === undefined || exit === undefined || startedAt === undefined) {
    const full = record === undefined ? undefined : await checkDisk(at.work, record.resources)
    return { ...facts, ...(full ?? lost) }
  }
  if (exit.code === 0) {
    // Looked at once only: it may hold very many files.
    const large = record.makes === undefined ? undefined : await checkDisk(record.makes, record.resources)
    if (large !== undefined) return { ...facts, ...large }
    const outputs = await collectOutputs(at, record)
    if (typeof outputs === 'string') return { ...facts, status: 'failed', reason: outputs }
    return { ...facts, status: 'succeeded', outputs, reason: 'The step ended with exit code 0.' }
  }
  return { ...facts, ...(await explain(at, record, exit, startedAt, signal)) }
}

const lost: Breach = {
  status: 'lost',
  reason: 'Its supervisor ended without saying how the step did: start another attempt.',
}

async function explain(
  at: AttemptPaths,
  record: AttemptRecord,
  exit: Exit,
  startedAt: string,
  signal?: string,
): Promise<Breach> {
  const { resources, timeoutMs, command } = record
  if (signal === 'SIGXCPU' && resources.cpuSeconds !== undefined) return cpuTimeUsed(resources.cpuSeconds)
  if (signal === 'SIGKILL' && Date.parse(exit.endedAt) - Date.parse(startedAt) >= timeoutMs) return timedOut(timeoutMs)
  const full = await checkDisk(at.work, resources)
  if (full !== undefined) return full
  if (signal === 'SIGXFSZ')
    return { status: 'out_of_disk', reason: `It wrote a file of more than its ${resources.diskMb} MB of disk.` }
  if (exit.code === 127)
    return { status: 'failed', reason: `The program of \`${command}\` was not found (exit code 127).` }
  if (exit.code === 126) return { status: 'failed', reason: `\`${command}\` could not be executed (exit code 126).` }
  if (signal === 'SIGKILL')
    return {
      status: 'failed',
      reason: 'The step was ended by SIGKILL, perhaps because the machine had no memory left.',
    }
  if (signal !== undefined) return { status: 'failed', reason: `The step was ended by ${signal}.` }
  return { status: 'failed', reason: `The step ended with exit code ${exit.code}.` }
}

export function timedOut(timeoutMs: number): Breach {
  return { status: 'timed_out', reason: `It ran longer than its ${timeoutMs / 1000} seconds.` }
}

/** The paths of all declared outputs, or a sentence on the first that is not as it should be. */
async function collectOutputs(at: AttemptPaths, record: AttemptRecord): Promise<Record<string, string> | string> {
  const outputs: Record<string, string> = {}
  for (const name of record.outputs) {
    const path = join(at.outputs, name)
    const problem = await problemOf(path, record.owner)
    if (problem !== undefined) return `The step ended with exit code 0, but its output \`${name}\` ${problem}.`
    outputs[name] = path
  }
  return outputs
}

/** Pave will read outputs with its own rights, so that nothing may lead it to what the step could not read itself. */
async function problemOf(path: string, owner: number | undefined): Promise<string | undefined> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return 'was not written'
  if (owner !== undefined && found.uid !== owner) return 'belongs to another user'
  if (found.isFile()) return undefined
  if (!found.isDirectory()) return 'is neither a file nor a directory'
  const names = await readdir(path).catch(() => undefined)
  if (names === undefined) return 'cannot be read'
  for (const name of names) {
    const problem = await problemOf(join(path, name), owner)
    if (problem !== undefined) return `holds ${JSON.stringify(name)}, which ${problem}`
  }
  return undefined
}

/** Two lines of `times` (the shell's own, then its children's: user and system) and `exit <code>`; less is no ending. */
async function readExit(at: AttemptPaths): Promise<Exit | undefined> {
  const text = await readFile(at.exit, 'utf8').catch(() => '')
  const code = /^exit (\d+)\n$/m.exec(text)?.[1]
  const endedAt = await modifiedAt(at.exit)
  if (code === undefined || endedAt === undefined) return undefined
  const children = text.split('\n')[1] ?? ''
  const cpuMs = [...children.matchAll(/(\d+)m(\d+(?:\.\d+)?)s/g)]
    .map(([, minutes, seconds]) => Number(minutes) * 60_000 + Number(seconds) * 1000)
    .reduce((sum, ms) => sum + ms, 0)
  return { code: Number(code), cpuMs: Math.round(cpuMs), endedAt }
}

async function modifiedAt(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  return found?.mtime.toISOString()
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
}
