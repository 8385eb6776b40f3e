import type { Tone } from '../../../console/design/state.tsx'
import type { Trace } from '../contract.ts'

export const stateTones: Record<Trace['state'], Tone> = {
  unspecified: 'idle',
  in_progress: 'busy',
  ok: 'good',
  error: 'bad',
}

export const stateWords: Record<Trace['state'], string> = {
  unspecified: 'unknown',
  in_progress: 'in progress',
  ok: 'ok',
  error: 'error',
}

/** Three significant digits: `4.21 µs`, `350 ms`, `1.5 s`, `2 min 3 s`. */
export function nanoseconds(nanos: number): string {
  const digits = (value: number) => Number(value.toPrecision(3))
  if (nanos < 1e6) return `${digits(nanos / 1e3)} µs`
  if (nanos < 1e9) return `${digits(nanos / 1e6)} ms`
  if (nanos < 60e9) return `${digits(nanos / 1e9)} s`
  const seconds = Math.round(nanos / 1e9)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
