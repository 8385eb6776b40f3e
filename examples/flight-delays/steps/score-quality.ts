/** How good probabilities are against what happened: every function takes one score and one label (0 or 1) per row. */

export type AreaUnderCurve = {
  /** Chance that a random positive row scores above a random negative one, ties counting half. */
  auc: number
  /** Its 95 % confidence interval (DeLong, DeLong and Clarke-Pearson 1988). */
  interval: [low: number, high: number]
}

type Numbers = ArrayLike<number>

export function areaUnderCurve(scores: Numbers, labels: Numbers): AreaUnderCurve {
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row)
  order.sort((a, b) => at(scores, a) - at(scores, b))
  const positives = countPositives(labels)
  const negatives = labels.length - positives
  if (positives === 0 || negatives === 0) return { auc: Number.NaN, interval: [Number.NaN, Number.NaN] }
  // Rows with equal scores share a group. A positive row beats all negatives of lower groups and half of its own's.
  let negativesBelow = 0
  let positivesBelow = 0
  let beaten = 0
  let beatenSquares = 0
  let lossSquares = 0
  for (let start = 0, end = 0; start < order.length; start = end) {
    let groupPositives = 0
    const score = at(scores, at(order, start))
    for (end = start; end < order.length && at(scores, at(order, end)) === score; end++) {
      groupPositives += at(labels, at(order, end))
    }
    const groupNegatives = end - start - groupPositives
    const wins = (negativesBelow + groupNegatives / 2) / negatives
    const losses = (positives - positivesBelow - groupPositives / 2) / positives
    beaten += groupPositives * wins
    beatenSquares += groupPositives * wins ** 2
    lossSquares += groupNegatives * losses ** 2
    negativesBelow += groupNegatives
    positivesBelow += groupPositives
  }
  const auc = beaten / positives
  const winVariance = (beatenSquares - positives * auc ** 2) / Math.max(1, positives - 1)
  const lossVariance = (lossSquares - negatives * auc ** 2) / Math.max(1, negatives - 1)
  const margin = 1.96 * Math.sqrt(Math.max(0, winVariance / positives + lossVariance / negatives))
  return { auc, interval: [Math.max(0, auc - margin), Math.min(1, auc + margin)] }
}

/** Mean negative log-likelihood, natural logarithm. */
export function logLoss(probabilities: Numbers, labels: Numbers): number {
  return meanOver(probabilities, labels, (probability, label) => {
    const likelihood = label === 1 ? probability : 1 - probability
    return -Math.log(Math.max(likelihood, 1e-15))
  })
}

/** Mean squared error of the probabilities. */
export function brierScore(probabilities: Numbers, labels: Numbers): number {
  return meanOver(probabilities, labels, (probability, label) => (probability - label) ** 2)
}

/** Expected calibration error: mean distance of probability and observed share in ten equally wide bins, by rows. */
export function calibrationError(probabilities: Numbers, labels: Numbers): number {
  const surplus = new Float64Array(10)
  for (let row = 0; row < labels.length; row++) {
    const bin = Math.min(9, Math.floor(at(probabilities, row) * 10))
    surplus[bin] = at(surplus, bin) + at(probabilities, row) - at(labels, row)
  }
  return surplus.reduce((sum, bin) => sum + Math.abs(bin), 0) / labels.length
}

function meanOver(scores: Numbers, labels: Numbers, loss: (score: number, label: number) => number): number {
  let sum = 0
  for (let row = 0; row < labels.length; row++) sum += loss(at(scores, row), at(labels, row))
  return sum / labels.length
}

function countPositives(labels: Numbers): number {
  let positives = 0
  for (let row = 0; row < labels.length; row++) positives += at(labels, row)
  return positives
}

function at(numbers: Numbers, index: number): number {
  return numbers[index] ?? Number.NaN
}
