import { hash } from 'node:crypto'
import type { ServingKey } from '#modules/releases/contract.ts'
import { platformFailure } from '#platform/errors.ts'
import type { Endpoint } from './compile-endpoint.ts'
import { inferenceFailure } from './errors.ts'

/** What requests are answered from. Replaced as a whole, never changed. */
export interface RouteTable {
  generation: number
  /** By the hex sha256 of the token. */
  keys: ReadonlyMap<string, ServingKey>
  /** By `endpointKey`. */
  endpoints: ReadonlyMap<string, Endpoint>
  /** Why an endpoint of the plan is not among them, by `endpointKey`. */
  unavailable: ReadonlyMap<string, string>
}

export const emptyTable: RouteTable = {
  generation: 0,
  keys: new Map(),
  endpoints: new Map(),
  unavailable: new Map(),
}

export function endpointKey(workspace: string, endpoint: string): string {
  return `${workspace}/${endpoint}`
}

/**
 * The plan's key behind an `Authorization` header. Only a hash is looked up, so how long it takes says nothing about
 * tokens.
 *
 * @throws `unauthenticated`, `endpoint_unavailable` before the first plan
 */
export function authenticate(table: RouteTable, authorization: string | undefined, now: number): ServingKey {
  if (table.generation === 0) throw inferenceFailure('endpoint_unavailable', 'This node has no serving plan yet')
  const token = authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined
  if (token === undefined) throw platformFailure('unauthenticated', 'The request carries no token')
  const key = table.keys.get(hash('sha256', token, 'hex'))
  if (key === undefined || (key.expiresAt !== null && Date.parse(key.expiresAt) <= now)) {
    throw platformFailure('unauthenticated', 'The token is unknown here, expired or revoked')
  }
  return key
}

/** @throws `permission_denied`, `model_not_served`, `endpoint_unavailable` */
export function findEndpoint(table: RouteTable, key: ServingKey, name: string): Endpoint {
  if (!key.endpoints.includes('*') && !key.endpoints.includes(name)) {
    throw platformFailure('permission_denied', `The token may not call the endpoint ${name}`, {
      hint: 'Use a token whose endpoints include this one.',
    })
  }
  const at = endpointKey(key.workspace, name)
  const endpoint = table.endpoints.get(at)
  if (endpoint !== undefined) return endpoint
  const reason = table.unavailable.get(at)
  if (reason === undefined) throw inferenceFailure('model_not_served', `No endpoint ${name} is served here`)
  throw inferenceFailure('endpoint_unavailable', `${name} cannot be served: ${reason}`)
}
