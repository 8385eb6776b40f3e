import type { Columns } from './metric-columns.ts'

export type Axis = 'step' | 'time'

/** What a bucket keeps: its first and last point, its lowest and highest number, and one point that is no number. */
const kept = 5

/**
 * At most `most` (five or more) of the points, as places in the columns in the order of the axis. The axis is cut into buckets of
 * one width; a curve through what each of them keeps looks like the curve through all points, its peaks and gaps
 * included.
 */
export function samplePoints(columns: Columns, most: number, axis: Axis): number[] {
  const { steps, timestamps, values } = columns
  const along = axis === 'step' ? steps : timestamps
  const at = (place: number) => along[place] ?? 0
  const places = Array.from(along, (_, place) => place)
  if (axis === 'time') places.sort((a, b) => at(a) - at(b) || a - b)
  if (places.length <= most) return places
  const [first = 0, last = 0] = [places[0], places.at(-1)]
  const buckets = Math.floor(most / kept)
  const span = at(last) - at(first)
  const bucketOf = (place: number) =>
    span === 0 ? 0 : Math.min(buckets - 1, Math.floor(((at(place) - at(first)) / span) * buckets))
  const sample: number[] = []
  for (let begin = 0, end = 0; begin < places.length; begin = end) {
    const bucket = bucketOf(places[begin] ?? 0)
    while (end < places.length && bucketOf(places[end] ?? 0) === bucket) end++
    sample.push(...keptOf(places, begin, end, values))
  }
  return sample
}

/** In order, none twice. */
function keptOf(places: readonly number[], begin: number, end: number, values: Float64Array): number[] {
  let [lowest, highest, gap] = [-1, -1, -1]
  const valueAt = (index: number) => values[places[index] ?? 0] ?? 0
  for (let index = begin; index < end; index++) {
    if (!Number.isFinite(valueAt(index))) {
      if (gap < 0) gap = index
      continue
    }
    if (lowest < 0 || valueAt(index) < valueAt(lowest)) lowest = index
    if (highest < 0 || valueAt(index) > valueAt(highest)) highest = index
  }
  const chosen = new Set([begin, end - 1, lowest, highest, gap].filter((index) => index >= 0))
  return [...chosen].sort((a, b) => a - b).map((index) => places[index] ?? 0)
}
