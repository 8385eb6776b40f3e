import type { FeatureProfile } from '../contract.ts'

/** The steps of a histogram as densities: each point holds up to the next one. Empty when there is nothing to draw. */
export function densityOf({ edges, counts, min, max }: FeatureProfile): [number, number][] {
  const total = counts.reduce((sum, one) => sum + one, 0)
  const first = edges[0] ?? min
  const last = edges.at(-1) ?? max
  if (total === 0 || first === null || last === null || counts.length !== edges.length + 1) return []
  const bounds = [Math.min(min ?? first, first), ...edges, Math.max(max ?? last, last)]
  const steps: [number, number][] = []
  counts.forEach((count, bin) => {
    const [from = 0, to = 0] = bounds.slice(bin, bin + 2)
    // What lies on one value has no width; it would be infinitely dense.
    if (to > from) steps.push([from, count / total / (to - from)])
  })
  const [end] = bounds.slice(-1)
  const [, height] = steps.at(-1) ?? []
  if (end !== undefined && height !== undefined) steps.push([end, height])
  return steps
}

/** Of all rows, those without a value. */
export const nullShare = ({ count, nulls }: FeatureProfile): number => (count === 0 ? 0 : nulls / count)

/** What somebody who cannot see the picture is told. */
export function describeProfile({ name, mean, std, min, max }: FeatureProfile): string {
  const text = (value: number | null) => (value === null ? 'unknown' : Number(value.toPrecision(4)).toString())
  return `${name}: mean ${text(mean)}, standard deviation ${text(std)}, from ${text(min)} to ${text(max)}`
}
