import type { LoggedPoint } from '../contract.ts'

/** What the points of a curve are spread over: their steps, the seconds since the first, or the clock. */
export type CurveAxis = 'step' | 'relative' | 'wall'

/** A curve to draw. What is no number leaves a gap. */
export function curveAlong(points: readonly LoggedPoint[], axis: CurveAxis): [number, number | null][] {
  const first = points.reduce((least, { timestamp }) => Math.min(least, timestamp), Number.POSITIVE_INFINITY)
  return points.map(({ step, timestamp, value }) => [
    axis === 'step' ? step : axis === 'wall' ? timestamp : (timestamp - first) / 1000,
    typeof value === 'number' ? value : null,
  ])
}

/**
 * The exponential moving average: each point is the one before, times the factor, and itself, times the rest. What the
 * first points lack in predecessors is made up for, so that a curve does not begin at zero. A gap stays one.
 */
export function smoothed(
  curve: readonly (readonly [number, number | null])[],
  factor: number,
): [number, number | null][] {
  let [average, weight] = [0, 0]
  return curve.map(([x, y]) => {
    if (y === null) return [x, null]
    average = factor * average + (1 - factor) * y
    weight = factor * weight + (1 - factor)
    return [x, average / weight]
  })
}

/** An axis of magnitudes has no place for zero and less. */
export function positive(curve: readonly (readonly [number, number | null])[]): [number, number | null][] {
  return curve.map(([x, y]) => [x, y !== null && y > 0 ? y : null])
}
