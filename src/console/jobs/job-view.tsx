import type { Job } from '../../platform/kernel/contract.ts'
import { percent } from '../design/format.ts'
import { State, type Tone } from '../design/state.tsx'

export const jobStates = ['queued', 'running', 'done', 'failed', 'cancelled'] as const

const tones: Record<Job['state'], Tone> = {
  queued: 'idle',
  running: 'busy',
  done: 'good',
  failed: 'bad',
  cancelled: 'idle',
}

export function JobState({ job: { state, progress } }: { job: Job }) {
  return (
    <State tone={tones[state]}>
      {state}
      {state === 'running' && ` ${percent(progress)}`}
    </State>
  )
}

/** How long it ran, or has been running until `now`; undefined before it started. */
export function runningTime({ startedAt, endedAt }: Job, now: number): number | undefined {
  if (startedAt === null) return undefined
  return (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt)
}
