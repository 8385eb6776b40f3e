/**
 * The population stability index, Σ (c − r)·ln(c / r) over the bins' shares r of the reference and c of the current
 * counts. A bin that is empty on one side gets the share of half a row of that side (shares are not normalised again);
 * a bin empty on both adds nothing. Null when a side has no rows.
 *
 * The usual 0.1 and 0.25 ignore how many rows there are; see `populationStabilityPValue` for what chance alone gives.
 */
export function populationStabilityIndex(reference: readonly number[], current: readonly number[]): number | null {
  const rows = total(reference)
  const currentRows = total(current)
  if (rows === 0 || currentRows === 0) return null
  let index = 0
  for (let bin = 0; bin < Math.max(reference.length, current.length); bin++) {
    const r = reference[bin] ?? 0
    const c = current[bin] ?? 0
    if (r === 0 && c === 0) continue
    const expected = (r || 0.5) / rows
    const actual = (c || 0.5) / currentRows
    index += (actual - expected) * Math.log(actual / expected)
  }
  return index
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
