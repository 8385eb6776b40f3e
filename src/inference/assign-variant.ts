import { hash } from 'node:crypto'

/** Buckets of an assignment: weights and samples are basis points. */
export const buckets = 10_000

/**
 * The bucket of a targeting key: the first 48 bits of SHA-256(salt, NUL, key), modulo 10,000. It depends on nothing
 * else, so everybody who knows the salt can tell which variant a key was given.
 */
export function bucketOf(salt: string, key: string): number {
  return Number.parseInt(hash('sha256', `${salt}\0${key}`, 'hex').slice(0, 12), 16) % buckets
}

/**
 * The route of a bucket. The canary takes buckets from zero up to its weight, so that while the weight grows nobody who
 * saw the canary goes back.
 */
export function routeOf<R extends { variant: string; weight: number }>(
  routes: readonly R[],
  bucket: number,
): R | undefined {
  let end = 0
  for (const variant of ['canary', 'primary'] as const) {
    for (const route of routes) {
      if (route.variant !== variant) continue
      end += route.weight
      if (bucket < end) return route
    }
  }
  return undefined
}
