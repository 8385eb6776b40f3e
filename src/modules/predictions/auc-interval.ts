/**
 * A 95 % confidence interval of an area under the ROC curve by its standard error after J. A. Hanley and B. J. McNeil,
 * "The meaning and use of the area under a receiver operating characteristic (ROC) curve", Radiology 143 (1982), which
 * assumes exponential scores. Clipped to [0, 1].
 */
export function aucInterval(auc: number, positives: number, negatives: number): { low: number; high: number } {
  const bothPositive = auc / (2 - auc)
  const bothNegative = (2 * auc ** 2) / (1 + auc)
  const variance =
    (auc * (1 - auc) + (positives - 1) * (bothPositive - auc ** 2) + (negatives - 1) * (bothNegative - auc ** 2)) /
    (positives * negatives)
  const half = 1.959963984540054 * Math.sqrt(Math.max(0, variance))
  return { low: Math.max(0, auc - half), high: Math.min(1, auc + half) }
}
