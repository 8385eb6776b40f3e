/**
 * Area under the ROC curve: the chance that a positive scores above a negative, a tie counting one half (the
 * Mann-Whitney statistic over midranks), so it does not depend on the order of the rows. Null with one class only.
 *
 * @param labels positive when 1 or true; as many as scores
 */
export function rocAuc(scores: readonly number[], labels: readonly (number | boolean)[]): number | null {
  const order = Array.from(scores.keys()).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0))
  let positives = 0
  let rankSum = 0
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start] ?? 0]
    let end = start
    let tied = 0
    while (end < order.length && scores[order[end] ?? 0] === score) {
      if (Number(labels[order[end] ?? 0]) === 1) tied += 1
      end += 1
    }
    if (end === start) return null
    positives += tied
    rankSum += (tied * (start + 1 + end)) / 2
    start = end
  }
  const negatives = scores.length - positives
  if (positives === 0 || negatives === 0) return null
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
}
