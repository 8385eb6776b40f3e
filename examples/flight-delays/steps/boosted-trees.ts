/**
 * Gradient-boosted decision trees for a yes/no label: logistic loss, second-order (Newton) gains and leaf values,
 * features cut into at most 255 quantile bins (Friedman 2001; Chen and Guestrin 2016, equations 6 and 7).
 */

/** Values are row-major: row r, feature f is `values[r * featureNames.length + f]`; a missing value is NaN. */
export type Table = {
  featureNames: string[]
  rows: number
  values: Float32Array
  labels: Uint8Array
}

/** Parallel arrays, node 0 is the root. `x <= threshold` goes left, a missing value where `missingLeft` says. */
export type Tree = {
  /** Index of the feature the node splits on; -1 in a leaf. */
  feature: number[]
  /** A 32-bit float, like the values, so that every runtime takes the same branch. */
  threshold: number[]
  missingLeft: boolean[]
  left: number[]
  right: number[]
  /** What a leaf adds to the log-odds; 0 in a split. */
  value: number[]
}

export type BoostedTrees = {
  featureNames: string[]
  /** Log-odds before the first tree. */
  base: number
  trees: Tree[]
  /** Total loss reduction of the splits on each feature, in the order of `featureNames`. */
  gains: number[]
}

export type BoostingOptions = {
  trees: number
  depth: number
  learningRate: number
  /** Share of the rows that each tree sees, drawn anew for each tree. */
  subsample: number
  bins: number
  /** L2 penalty on leaf values. */
  l2: number
  /** Smallest sum of second derivatives in a leaf; a row gives at most 0.25. */
  minLeafWeight: number
  seed: number
}

export const defaultBoosting: BoostingOptions = {
  trees: 100,
  depth: 6,
  learningRate: 0.15,
  subsample: 0.5,
  bins: 64,
  l2: 5,
  minLeafWeight: 20,
  seed: 1,
}

export function trainBoostedTrees(
  table: Table,
  options: BoostingOptions,
  onTree: (finished: number) => void = () => {},
): BoostedTrees {
  const { rows, labels, featureNames } = table
  const positives = labels.reduce((sum, label) => sum + label, 0)
  if (positives === 0 || positives === rows) throw new Error('The training table needs rows of both labels.')
  const base = Math.fround(Math.log(positives / (rows - positives)))
  const binned = binFeatures(table, options.bins)
  const scores = new Float64Array(rows).fill(base)
  const gradients = new Float64Array(rows * 2)
  const random = seededRandom(options.seed)
  const gains = featureNames.map(() => 0)
  const grow = createTreeGrower(binned, gradients, options, gains)
  const sample = new Uint32Array(rows)
  const trees: Tree[] = []
  for (let number = 1; number <= options.trees; number++) {
    let sampled = 0
    for (let row = 0; row < rows; row++) {
      if (random() >= options.subsample) continue
      const probability = sigmoid(scores[row] ?? 0)
      gradients[row * 2] = probability - (labels[row] ?? 0)
      gradients[row * 2 + 1] = probability * (1 - probability)
      sample[sampled++] = row
    }
    const tree = grow(sample.subarray(0, sampled))
    trees.push(tree)
    addTree(tree, table.values, featureNames.length, scores)
    onTree(number)
  }
  return { featureNames, base, trees, gains }
}

/** Probabilities, one per row of `values` (row-major, features in the order of `model.featureNames`). */
export function predict(model: BoostedTrees, values: Float32Array): Float64Array {
  const width = model.featureNames.length
  const scores = new Float64Array(values.length / width).fill(model.base)
  for (const tree of model.trees) addTree(tree, values, width, scores)
  return scores.map(sigmoid)
}

/** Deterministic numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function sigmoid(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds))
}

function addTree(tree: Tree, values: Float32Array, width: number, scores: Float64Array): void {
  const feature = Int32Array.from(tree.feature)
  const threshold = Float32Array.from(tree.threshold)
  const left = Int32Array.from(tree.left)
  const right = Int32Array.from(tree.right)
  const missingLeft = Uint8Array.from(tree.missingLeft, Number)
  for (let row = 0; row < scores.length; row++) {
    let node = 0
    for (let split = feature[0] ?? 0; split >= 0; split = feature[node] ?? 0) {
      const value = values[row * width + split] ?? 0
      const goesLeft = value <= (threshold[node] ?? 0) || ((missingLeft[node] ?? 0) === 1 && Number.isNaN(value))
      node = goesLeft ? (left[node] ?? 0) : (right[node] ?? 0)
    }
    scores[row] = (scores[row] ?? 0) + (tree.value[node] ?? 0)
  }
}

type BinnedFeatures = {
  width: number
  /** Bins of one feature, the missing bin included: it is always the last. */
  stride: number
  /** Row-major bin numbers. */
  bins: Uint8Array
  /** Per feature, ascending: bin i holds the values in (edges[i - 1], edges[i]]. */
  edges: Float32Array[]
}

function binFeatures(table: Table, maxBins: number): BinnedFeatures {
  const { rows, values, featureNames } = table
  const width = featureNames.length
  const bins = new Uint8Array(rows * width)
  const edges = featureNames.map((_, feature) => quantileEdges(table, feature, maxBins))
  for (const [feature, cuts] of edges.entries()) {
    for (let row = 0; row < rows; row++) {
      const value = values[row * width + feature] ?? 0
      bins[row * width + feature] = Number.isNaN(value) ? maxBins : lowerBound(cuts, value)
    }
  }
  return { width, stride: maxBins + 1, bins, edges }
}

/** Edges between the quantiles of at most 50,000 evenly spaced rows: each is a value that occurs, never the largest. */
function quantileEdges(table: Table, feature: number, maxBins: number): Float32Array {
  const width = table.featureNames.length
  const step = Math.max(1, Math.floor(table.rows / 50_000))
  const present = []
  for (let row = 0; row < table.rows; row += step) {
    const value = table.values[row * width + feature] ?? 0
    if (!Number.isNaN(value)) present.push(value)
  }
  const sorted = Float32Array.from(present).sort()
  const largest = sorted.at(-1)
  const edges = new Set<number>()
  for (let bin = 1; bin < maxBins; bin++) {
    const value = sorted[Math.floor((sorted.length * bin) / maxBins)]
    if (value !== undefined && value !== largest) edges.add(value)
  }
  return Float32Array.from(edges)
}

/** Index of the first edge that is not below the value. */
function lowerBound(edges: Float32Array, value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((edges[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

type Split = { gain: number; feature: number; bin: number; missingLeft: boolean }

/** A function that grows one tree on the rows it is given, whose order it changes. Adds to `gains` per feature. */
function createTreeGrower(
  { width, stride, bins, edges }: BinnedFeatures,
  gradients: Float64Array,
  options: BoostingOptions,
  gains: number[],
): (sample: Uint32Array) => Tree {
  const { l2, minLeafWeight, learningRate } = options
  const missingBin = stride - 1
  const rootHistogram = new Float64Array(width * stride * 2)
  const histograms = Array.from({ length: options.depth }, () => new Float64Array(width * stride * 2))
  const rightRows = new Uint32Array(bins.length / width)

  /** Sums of gradient and second derivative per feature and bin, interleaved. */
  function fillHistogram(histogram: Float64Array, rows: Uint32Array): void {
    histogram.fill(0)
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] ?? 0
      const gradient = gradients[row * 2] ?? 0
      const weight = gradients[row * 2 + 1] ?? 0
      const start = row * width
      for (let feature = 0; feature < width; feature++) {
        const cell = (feature * stride + (bins[start + feature] ?? 0)) * 2
        histogram[cell] = (histogram[cell] ?? 0) + gradient
        histogram[cell + 1] = (histogram[cell + 1] ?? 0) + weight
      }
    }
  }

  function score(gradient: number, weight: number): number {
    return (gradient * gradient) / (weight + l2)
  }

  function findSplit(histogram: Float64Array, gradient: number, weight: number): Split | undefined {
    const before = score(gradient, weight)
    let best: Split | undefined
    for (const [feature, cuts] of edges.entries()) {
      const first = feature * stride
      const missingGradient = histogram[(first + missingBin) * 2] ?? 0
      const missingWeight = histogram[(first + missingBin) * 2 + 1] ?? 0
      // What subtraction leaves of an empty bin is a rounding error; a single row weighs far more.
      const sides = missingWeight > 1e-9 ? [true, false] : undefined
      let leftGradient = 0
      let leftWeight = 0
      for (let bin = 0; bin < cuts.length; bin++) {
        leftGradient += histogram[(first + bin) * 2] ?? 0
        leftWeight += histogram[(first + bin) * 2 + 1] ?? 0
        // Without missing rows in the node both sides score alike: a missing value then follows the heavier side.
        for (const missingLeft of sides ?? [leftWeight * 2 > weight]) {
          const sideGradient = missingLeft ? leftGradient + missingGradient : leftGradient
          const sideWeight = missingLeft ? leftWeight + missingWeight : leftWeight
          if (sideWeight < minLeafWeight || weight - sideWeight < minLeafWeight) continue
          const gain = score(sideGradient, sideWeight) + score(gradient - sideGradient, weight - sideWeight) - before
          if (gain > (best?.gain ?? 1e-9)) best = { gain, feature, bin, missingLeft }
        }
      }
    }
    return best
  }

  /** Moves the rows that go left to the front, keeping the order on both sides, and returns how many they are. */
  function partition(rows: Uint32Array, split: Split): number {
    let leftCount = 0
    let rightCount = 0
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] ?? 0
      const bin = bins[row * width + split.feature] ?? 0
      if (bin === missingBin ? split.missingLeft : bin <= split.bin) rows[leftCount++] = row
      else rightRows[rightCount++] = row
    }
    rows.set(rightRows.subarray(0, rightCount), leftCount)
    return leftCount
  }

  return (sample) => {
    const tree: Tree = { feature: [], threshold: [], missingLeft: [], left: [], right: [], value: [] }

    function addNode(rows: Uint32Array, depth: number, histogram: Float64Array): number {
      let gradient = 0
      let weight = 0
      for (let bin = 0; bin < stride; bin++) {
        gradient += histogram[bin * 2] ?? 0
        weight += histogram[bin * 2 + 1] ?? 0
      }
      const node = tree.feature.length
      tree.feature.push(-1)
      tree.threshold.push(0)
      tree.missingLeft.push(false)
      tree.left.push(0)
      tree.right.push(0)
      tree.value.push(Math.fround((-learningRate * gradient) / (weight + l2)))
      const smaller = histograms[depth]
      const split = smaller && findSplit(histogram, gradient, weight)
      if (smaller === undefined || split === undefined) return node
      gains[split.feature] = (gains[split.feature] ?? 0) + split.gain
      const leftCount = partition(rows, split)
      const leftRows = rows.subarray(0, leftCount)
      const rightSide = rows.subarray(leftCount)
      // Only the smaller child is counted; the larger one is what remains of its parent.
      const larger = histogram
      const leftIsSmaller = leftRows.length < rightSide.length
      fillHistogram(smaller, leftIsSmaller ? leftRows : rightSide)
      for (let cell = 0; cell < larger.length; cell++) larger[cell] = (larger[cell] ?? 0) - (smaller[cell] ?? 0)
      tree.feature[node] = split.feature
      tree.threshold[node] = edges[split.feature]?.[split.bin] ?? 0
      tree.missingLeft[node] = split.missingLeft
      tree.value[node] = 0
      const largerNode = addNode(leftIsSmaller ? rightSide : leftRows, depth + 1, larger)
      const smallerNode = addNode(leftIsSmaller ? leftRows : rightSide, depth + 1, smaller)
      tree.left[node] = leftIsSmaller ? smallerNode : largerNode
      tree.right[node] = leftIsSmaller ? largerNode : smallerNode
      return node
    }

    fillHistogram(rootHistogram, sample)
    addNode(sample, 0, rootHistogram)
    return tree
  }
}
