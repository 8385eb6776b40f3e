import type { Table } from './boosted-trees.ts'

/** How a feature was distributed in training; live values are compared with it. */
export type FeatureProfile = {
  name: string
  /** Rows, with and without a value. */
  count: number
  nulls: number
  /** Of the values that are present; null when there is none. */
  mean: number | null
  std: number | null
  min: number | null
  max: number | null
  /** Inner edges, ascending: a value falls in bin i when exactly i edges are less than or equal to it. */
  edges: number[]
  /** Present values per bin, one more than edges. */
  counts: number[]
}

/** Profiles of all features in about ten bins of equal counts; frequent values make them fewer. */
export function profileFeatures(table: Table): FeatureProfile[] {
  return table.featureNames.map((name, feature) => profileFeature(name, featureValues(table, feature), table.rows))
}

/** The values of a feature that are not missing, ascending. */
export function featureValues(table: Table, feature: number): Float32Array {
  const width = table.featureNames.length
  const present = new Float32Array(table.rows)
  let count = 0
  for (let row = 0; row < table.rows; row++) {
    const value = table.values[row * width + feature] ?? Number.NaN
    if (!Number.isNaN(value)) present[count++] = value
  }
  return present.subarray(0, count).sort()
}

/**
 * Edges that cut ascending values into at most `bins` parts of about equal counts. An edge lies halfway between two
 * values that occur, so that a value falls in the same bin as a 32-bit and as a 64-bit float.
 */
export function quantileCuts(sorted: Float32Array, bins: number): number[] {
  const cuts = new Set<number>()
  for (let bin = 1; bin < bins; bin++) {
    const value = sorted[Math.floor((sorted.length * bin) / bins)]
    const below = value === undefined ? undefined : sorted[sorted.indexOf(value) - 1]
    if (value !== undefined && below !== undefined) cuts.add((below + value) / 2)
  }
  return [...cuts]
}

/** How many edges are less than or equal to the value. */
export function binOf(edges: number[], value: number): number {
  const above = edges.findIndex((edge) => value < edge)
  return above < 0 ? edges.length : above
}

function profileFeature(name: string, sorted: Float32Array, rows: number): FeatureProfile {
  const edges = quantileCuts(sorted, 10)
  const counts = new Array<number>(edges.length + 1).fill(0)
  let sum = 0
  for (const value of sorted) {
    const bin = binOf(edges, value)
    counts[bin] = (counts[bin] ?? 0) + 1
    sum += value
  }
  const empty = sorted.length === 0
  const mean = sum / sorted.length
  let squares = 0
  for (const value of sorted) squares += (value - mean) ** 2
  return {
    name,
    count: rows,
    nulls: rows - sorted.length,
    mean: empty ? null : mean,
    std: empty ? null : Math.sqrt(squares / sorted.length),
    min: sorted[0] ?? null,
    max: sorted.at(-1) ?? null,
    edges,
    counts,
  }
}
