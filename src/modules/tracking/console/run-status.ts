import type { Tone } from '../../../console/design/state.tsx'
import type { TrackingRun } from '../contract.ts'

export const statusTones: Record<TrackingRun['status'], Tone> = {
  scheduled: 'idle',
  running: 'busy',
  finished: 'good',
  failed: 'bad',
  killed: 'warn',
}
