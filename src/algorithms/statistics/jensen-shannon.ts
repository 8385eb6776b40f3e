/**
 * The Jensen-Shannon distance between two sets of counts over the same bins: the root of the divergence in base 2, so
 * 0 for equal shares and 1 for disjoint ones, with no need to fill empty bins. Null when a side has no rows.
 */
export function jensenShannonDistance(reference: readonly number[], current: readonly number[]): number | null {
  const rows = reference.reduce((sum, count) => sum + count, 0)
  const currentRows = current.reduce((sum, count) => sum + count, 0)
  if (rows === 0 || currentRows === 0) return null
  let divergence = 0
  for (let bin = 0; bin < Math.max(reference.length, current.length); bin++) {
    const p = (reference[bin] ?? 0) / rows
    const q = (current[bin] ?? 0) / currentRows
    const middle = (p + q) / 2
    if (p > 0) divergence += (p * Math.log2(p / middle)) / 2
    if (q > 0) divergence += (q * Math.log2(q / middle)) / 2
  }
  return Math.sqrt(Math.max(0, divergence))
}
