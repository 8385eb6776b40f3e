/** Points of one metric as columns, by step, then timestamp, then value; no point is there twice. */
export interface Columns {
  steps: Float64Array
  timestamps: Float64Array
  values: Float64Array
}

export interface Point {
  step: number
  timestamp: number
  value: number
}

export const noPoints: Columns = columnsOf([])

export function columnsOf(points: readonly Point[]): Columns {
  const columns = emptyColumns(points.length)
  for (const [at, { step, timestamp, value }] of points.entries()) {
    columns.steps[at] = step
    columns.timestamps[at] = timestamp
    // PostgreSQL says that 0 and -0 are one value, and so does whoever looks at a curve.
    columns.values[at] = value === 0 ? 0 : value
  }
  return ordered(columns)
}

export function pointAt(columns: Columns, at: number): Point {
  return { step: columns.steps[at] ?? 0, timestamp: columns.timestamps[at] ?? 0, value: columns.values[at] ?? 0 }
}

/** All points of all parts. */
export function mergeColumns(parts: readonly Columns[]): Columns {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const all = emptyColumns(parts.reduce((sum, part) => sum + part.steps.length, 0))
  let at = 0
  // Most parts follow one another: put in that order, there is nothing left to sort.
  const inOrder = parts
    .filter(({ steps }) => steps.length > 0)
    .sort((a, b) => comparePoints(pointAt(a, 0), pointAt(b, 0)))
  for (const part of inOrder) {
    all.steps.set(part.steps, at)
    all.timestamps.set(part.timestamps, at)
    all.values.set(part.values, at)
    at += part.steps.length
  }
  return ordered(all)
}

export function sliceColumns({ steps, timestamps, values }: Columns, from: number, to: number): Columns {
  return {
    steps: steps.subarray(from, to),
    timestamps: timestamps.subarray(from, to),
    values: values.subarray(from, to),
  }
}

/** NaN is the largest value and equal to itself, as PostgreSQL has it. */
export function comparePoints(a: Point, b: Point): number {
  return a.step - b.step || a.timestamp - b.timestamp || compareValues(a.value, b.value)
}

function compareValues(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
}

/** How many points lie before this one or are it. */
export function pointsUpTo(columns: Columns, point: Point): number {
  let [low, high] = [0, columns.steps.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (comparePoints(pointAt(columns, middle), point) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Doubles, the most significant byte first, as `float8send` of PostgreSQL writes them. */
export function encodeColumn(column: Float64Array): Buffer {
  const bytes = Buffer.alloc(column.length * 8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < column.length; at++) view.setFloat64(at * 8, column[at] ?? 0)
  return bytes
}

export function decodeColumn(bytes: Buffer): Float64Array {
  const column = new Float64Array(bytes.byteLength / 8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < column.length; at++) column[at] = view.getFloat64(at * 8)
  return column
}

function emptyColumns(length: number): Columns {
  return {
    steps: new Float64Array(length),
    timestamps: new Float64Array(length),
    values: new Float64Array(length),
  }
}

/** Sorted and without repetitions; what is so already, as most of what is logged, costs one look. */
function ordered(columns: Columns): Columns {
  const { steps, timestamps, values } = columns
  const compareAt = (a: number, b: number) =>
    (steps[a] ?? 0) - (steps[b] ?? 0) ||
    (timestamps[a] ?? 0) - (timestamps[b] ?? 0) ||
    compareValues(values[a] ?? 0, values[b] ?? 0)
  let at = 1
  while (at < steps.length && compareAt(at - 1, at) < 0) at++
  if (at >= steps.length) return columns
  const places = Array.from(steps, (_, place) => place).sort(compareAt)
  const kept = places.filter((place, index) => index === 0 || compareAt(places[index - 1] ?? 0, place) !== 0)
  const result = emptyColumns(kept.length)
  for (const [index, place] of kept.entries()) {
    result.steps[index] = steps[place] ?? 0
    result.timestamps[index] = timestamps[place] ?? 0
    result.values[index] = values[place] ?? 0
  }
  return result
}
