import { bucketOf, routeOf } from './assign-variant.ts'
import type { Endpoint, Route } from './compile-endpoint.ts'
import type { RequestRows } from './compute-features.ts'
import { inferenceFailure } from './errors.ts'
import type { InferenceRequest } from './read-request.ts'
import type { Group } from './run-version.ts'

/**
 * Which rows go to which version: rows of one request may have different targeting keys. Plain tensors stay together.
 *
 * @param version number that the path asks for
 * @throws `version_not_served`
 */
export function assignRows(
  endpoint: Endpoint,
  request: InferenceRequest,
  rows: RequestRows,
  id: string,
  version: number | undefined,
): Group[] {
  const { spec, routes } = endpoint
  const all = Array.from({ length: rows.rows }, (_, row) => row)
  const only = version === undefined ? onlyRoute(endpoint) : routes.find((route) => route.version.version === version)
  if (version !== undefined && only === undefined) {
    throw inferenceFailure('version_not_served', `${spec.endpoint} serves no version ${version}`)
  }
  if (only !== undefined) return [{ route: only, rows: all }]

  const groups = new Map<Route, number[]>()
  for (const row of all) {
    const bucket = bucketOf(spec.salt, targetingKeyOf(endpoint, request, rows, endpoint.plain ? 0 : row, id))
    const route = routeOf(routes, bucket)
    if (route === undefined)
      throw inferenceFailure('endpoint_unavailable', `${spec.endpoint} has no version with traffic`)
    const assigned = groups.get(route)
    if (assigned === undefined) groups.set(route, [row])
    else assigned.push(row)
  }
  return Array.from(groups, ([route, assigned]) => ({ route, rows: assigned }))
}

/** What a row's assignment hangs on: the request's own key, the endpoint's targeting field, or else the request's id. */
export function targetingKeyOf(
  { spec }: Endpoint,
  request: InferenceRequest,
  rows: RequestRows,
  row: number,
  id: string,
): string {
  if (request.targetingKey !== undefined) return request.targetingKey
  const field = spec.request.findIndex(({ name }) => name === spec.targetingField)
  const value = rows.fields[field]?.[row]
  return value === undefined ? id : String(value)
}

function onlyRoute({ routes }: Endpoint): Route | undefined {
  const busy = routes.filter(({ weight }) => weight > 0)
  return busy.length === 1 ? busy[0] : undefined
}
