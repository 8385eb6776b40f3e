import type { Table } from './boosted-trees.ts'
import { binOf, featureValues, quantileCuts } from './profile-features.ts'

/**
 * The score that a model has to beat: for each of a few features the log-odds of being late among the training rows in
 * the same of 24 quantile bins, added up. A missing value has a bin of its own.
 */
export function scoreBaseline(training: Table, evaluation: Table, features: string[]): Float64Array {
  const scores = new Float64Array(evaluation.rows)
  for (const name of features) {
    const trained = column(training, name)
    const edges = quantileCuts(featureValues(training, training.featureNames.indexOf(name)), 24)
    const bin = (value: number) => (Number.isNaN(value) ? edges.length + 1 : binOf(edges, value))
    const late = new Float64Array(edges.length + 2).fill(1)
    const onTime = new Float64Array(edges.length + 2).fill(1)
    for (let row = 0; row < training.rows; row++) {
      const counts = training.labels[row] === 1 ? late : onTime
      const index = bin(trained[row] ?? Number.NaN)
      counts[index] = (counts[index] ?? 0) + 1
    }
    const logOdds = late.map((count, index) => Math.log(count / (onTime[index] ?? 1)))
    const asked = column(evaluation, name)
    for (let row = 0; row < evaluation.rows; row++) {
      scores[row] = (scores[row] ?? 0) + (logOdds[bin(asked[row] ?? Number.NaN)] ?? 0)
    }
  }
  return scores
}

function column(table: Table, name: string): Float32Array {
  const width = table.featureNames.length
  const feature = table.featureNames.indexOf(name)
  if (feature < 0) throw new Error(`The baseline needs the feature "${name}", which the table does not have.`)
  return Float32Array.from({ length: table.rows }, (_, row) => table.values[row * width + feature] ?? Number.NaN)
}
