import type { Tone } from '../../../console/design/state.tsx'
import type { FollowedStep, PipelineSpec, Run } from '../contract.ts'

export const isOver = ({ state }: Pick<Run, 'state'>): boolean => state !== 'queued' && state !== 'running'

/** Colour and words for the states of runs and steps. */
export const runTones: Record<Run['state'], Tone> = {
  queued: 'idle',
  running: 'busy',
  done: 'good',
  failed: 'bad',
  cancelled: 'warn',
}

export const stepTones: Record<FollowedStep['state'], Tone> = {
  pending: 'idle',
  running: 'busy',
  retrying: 'warn',
  done: 'good',
  failed: 'bad',
  cancelled: 'warn',
  skipped: 'idle',
}

/** How long something has lasted or did last, in milliseconds; null before it began. */
export function lasted(times: { startedAt: string | null; endedAt: string | null }, now: number): number | null {
  if (times.startedAt === null) return null
  const end = times.endedAt === null ? now : Date.parse(times.endedAt)
  return Math.max(0, end - Date.parse(times.startedAt))
}

/** What became of the cache in a run: `3 of 6 steps from the cache`. */
export function cacheText(steps: readonly Pick<FollowedStep, 'cache'>[]): string {
  const hits = steps.filter(({ cache }) => cache?.hit === true).length
  return `${hits} of ${steps.length} steps from the cache`
}

/** The run that a reason for a cache hit names, so that a link can lead to it. */
export function runIn(reason: string): { before: string; run: string; after: string } | undefined {
  const match = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/.exec(reason)
  if (match === null) return undefined
  const [run] = match
  return { before: reason.slice(0, match.index), run, after: reason.slice(match.index + run.length) }
}

type Params = PipelineSpec['params']
type ParamValue = Run['params'][string]

/** What a form of params begins with: what an earlier run was given, or else the defaults. */
export function startingValues(params: Params, given: Run['params'] = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(params).map(([name, { default: value }]) => [name, String(given[name] ?? value ?? '')]),
  )
}

/**
 * What was typed, in the types that the pipeline declares. What is no number stays a text, and the server says so. An
 * empty field leaves its param out, unless it is a text.
 */
export function typedParams(params: Params, typed: Readonly<Record<string, string>>): Record<string, ParamValue> {
  const values: Record<string, ParamValue> = {}
  for (const [name, { type, default: fallback }] of Object.entries(params)) {
    const text = typed[name] ?? ''
    if (text.trim() === '' && (type !== 'string' || fallback === undefined)) continue
    if (type === 'bool') values[name] = text === 'true'
    else if (type === 'int' || type === 'double') values[name] = Number.isFinite(Number(text)) ? Number(text) : text
    else values[name] = type === 'string' ? text : text.trim()
  }
  return values
}
