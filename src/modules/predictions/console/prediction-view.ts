import type { FeatureProfile } from '#modules/registry/contract.ts'

/** A value of a request as text: a missing one is told apart from an empty one. */
export const fieldText = (value: string | number | boolean | null): string => (value === null ? 'null' : String(value))

/**
 * Where a value lies in the training of the version: the share of training rows below its bin, and the bin itself.
 * Undefined without a profile or a value.
 */
export function placeInTraining(
  value: number | null | undefined,
  profile: FeatureProfile | undefined,
): { bin: number; below: number; share: number; outside: boolean } | undefined {
  if (value === null || value === undefined || profile === undefined || profile.counts.length === 0) return undefined
  const { edges, counts, min, max } = profile
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  const above = edges.findIndex((edge) => value < edge)
  const bin = above === -1 ? counts.length - 1 : above
  const below = counts.slice(0, bin).reduce((sum, count) => sum + count, 0) / total
  const outside = (min !== null && value < min) || (max !== null && value > max)
  return { bin, below, share: (counts[bin] ?? 0) / total, outside }
}

const times = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?$/

/** What is typed for a time, as the API takes it: a day or an instant in UTC; undefined when it is none. */
export function instantOf(text: string): string | undefined {
  const given = text.trim().replace(' ', 'T')
  if (!times.test(given)) return undefined
  const at = Date.parse(given.includes('T') && !given.endsWith('Z') ? `${given}Z` : given)
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}

/** `origin=ORD destination=LGA` as the API takes it; undefined when it is none. Values may stand in quotes. */
export function requestFilterOf(text: string): string | undefined {
  const pairs = [...text.matchAll(/([^\s=&]+)=("([^"]*)"|[^\s&]*)/g)]
  if (pairs.length === 0) return undefined
  return pairs
    .map(([, field = '', bare = '', quoted]) => `${encodeURIComponent(field)}=${encodeURIComponent(quoted ?? bare)}`)
    .join('&')
}
