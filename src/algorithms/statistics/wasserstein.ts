import { finite } from './histogram.ts'

/**
 * The first Wasserstein distance between two columns, ∫ |F − G|, in units of the reference's population standard
 * deviation. Null when a side has no finite value or the reference does not vary.
 */
export function normalizedWasserstein(
  reference: Iterable<number | null>,
  current: Iterable<number | null>,
): number | null {
  const a = finite(reference).sort()
  const b = finite(current).sort()
  if (a.length === 0 || b.length === 0) return null
  const mean = a.reduce((sum, value) => sum + value, 0) / a.length
  const std = Math.sqrt(a.reduce((sum, value) => sum + (value - mean) ** 2, 0) / a.length)
  if (a[0] === a.at(-1) || std === 0) return null

  let area = 0
  let i = 0
  let j = 0
  let from = Math.min(a[0] ?? 0, b[0] ?? 0)
  while (i < a.length || j < b.length) {
    const to = Math.min(a[i] ?? Infinity, b[j] ?? Infinity)
    area += Math.abs(i / a.length - j / b.length) * (to - from)
    while (a[i] === to) i += 1
    while (b[j] === to) j += 1
    from = to
  }
  return area / std
}
