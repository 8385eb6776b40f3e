import { finite } from './histogram.ts'

/** The largest distance between the two empirical distribution functions. Null when a side has no finite value. */
export function kolmogorovSmirnov(reference: Iterable<number | null>, current: Iterable<number | null>): number | null {
  const a = finite(reference).sort()
  const b = finite(current).sort()
  if (a.length === 0 || b.length === 0) return null
  let distance = 0
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    // All values equal to the smallest one are passed on both sides before the functions are compared.
    const value = Math.min(a[i] ?? Infinity, b[j] ?? Infinity)
    while (a[i] === value) i += 1
    while (b[j] === value) j += 1
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length))
  }
  return distance
}

/** The same over counts of the same bins: a lower bound of the distance between the columns. */
export function kolmogorovSmirnovOfCounts(reference: readonly number[], current: readonly number[]): number | null {
  const rows = reference.reduce((sum, count) => sum + count, 0)
  const currentRows = current.reduce((sum, count) => sum + count, 0)
  if (rows === 0 || currentRows === 0) return null
  let distance = 0
  let below = 0
  let currentBelow = 0
  for (let bin = 0; bin < Math.max(reference.length, current.length); bin++) {
    below += reference[bin] ?? 0
    currentBelow += current[bin] ?? 0
    distance = Math.max(distance, Math.abs(below / rows - currentBelow / currentRows))
  }
  return distance
}
