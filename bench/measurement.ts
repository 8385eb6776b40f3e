export interface Peer {
  name: string
  value: number
}

/** One line of a benchmark's table. */
export interface Measurement {
  name: string
  unit: string
  ours: number
  /** What it is compared with, measured in the same run. */
  peer?: Peer
  /** The same peer with other settings, say; told, and no ratio made of it. */
  others?: readonly Peer[]
  limit?: { text: string; met: boolean }
}

/** What `bench/NAME/bench.ts` exports as default; `say` tells what is happening. */
export type Bench = (say: (text: string) => void) => Promise<Measurement[]>

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}

export interface Timing {
  /** Median of one call, in milliseconds. */
  wall: number
  /** User and system time of this process for each call, in milliseconds. */
  cpu: number
}

/** Calls one after the other. */
export async function time(calls: number, call: (index: number) => Promise<unknown>): Promise<Timing> {
  const walls: number[] = []
  const before = process.cpuUsage()
  for (let index = 0; index < calls; index++) {
    const started = performance.now()
    await call(index)
    walls.push(performance.now() - started)
  }
  const used = process.cpuUsage(before)
  return { wall: median(walls), cpu: (used.user + used.system) / 1000 / calls }
}
