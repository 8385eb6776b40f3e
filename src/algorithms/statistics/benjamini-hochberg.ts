/**
 * Adjusted p-values that keep the expected share of false alarms among all alarms (Benjamini and Hochberg, 1995), in
 * the order given. Alarm where the adjusted value is at most the rate to allow.
 */
export function adjustForFalseDiscovery(pValues: readonly number[]): number[] {
  const order = Array.from(pValues.keys()).sort((a, b) => (pValues[b] ?? 0) - (pValues[a] ?? 0))
  const adjusted = new Array<number>(pValues.length).fill(1)
  let lowest = 1
  order.forEach((row, i) => {
    const rank = pValues.length - i
    lowest = Math.min(lowest, ((pValues[row] ?? 0) * pValues.length) / rank)
    adjusted[row] = lowest
  })
  return adjusted
}
