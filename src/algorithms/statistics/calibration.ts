/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  count: number
  /** Mean predicted probability. */
  predicted: number
  /** Share of positives. */
  observed: number
}

/** Mean squared error of predicted probabilities against 0/1 labels. Null without rows. */
export function brierScore(probabilities: readonly number[], labels: readonly number[]): number | null {
  return meanOf(probabilities, (p, i) => (p - (labels[i] ?? 0)) ** 2)
}

/** Mean negative log likelihood (natural logarithm); probabilities are kept 1e-15 away from 0 and 1. */
export function logLoss(probabilities: readonly number[], labels: readonly number[]): number | null {
  return meanOf(probabilities, (p, i) => {
    const sure = Math.min(1 - 1e-15, Math.max(1e-15, p))
    return labels[i] === 1 ? -Math.log(sure) : -Math.log(1 - sure)
  })
}

/** Rows by rising probability in bins of equal count; equal probabilities share a bin, so row order does not matter. */
export function reliability(probabilities: readonly number[], labels: readonly number[], bins = 10): ReliabilityBin[] {
  const order = Array.from(probabilities.keys()).sort((a, b) => (probabilities[a] ?? 0) - (probabilities[b] ?? 0))
  const result: ReliabilityBin[] = []
  let start = 0
  for (let bin = 1; bin <= bins && start < order.length; bin++) {
    let end = Math.max(start + 1, Math.round((bin * order.length) / bins))
    while (end < order.length && probabilities[order[end] ?? 0] === probabilities[order[end - 1] ?? 0]) end += 1
    const rows = order.slice(start, end)
    result.push({
      count: rows.length,
      predicted: rows.reduce((sum, row) => sum + (probabilities[row] ?? 0), 0) / rows.length,
      observed: rows.reduce((sum, row) => sum + (labels[row] ?? 0), 0) / rows.length,
    })
    start = end
  }
  return result
}

/** Expected calibration error: |predicted − observed| averaged over the rows of bins of equal count. */
export function expectedCalibrationError(
  probabilities: readonly number[],
  labels: readonly number[],
  bins = 10,
): number | null {
  if (probabilities.length === 0) return null
  const gaps = reliability(probabilities, labels, bins).map(
    ({ count, predicted, observed }) => count * Math.abs(predicted - observed),
  )
  return gaps.reduce((sum, gap) => sum + gap, 0) / probabilities.length
}

function meanOf(values: readonly number[], loss: (value: number, index: number) => number): number | null {
  if (values.length === 0) return null
  return values.reduce((sum, value, index) => sum + loss(value, index), 0) / values.length
}
