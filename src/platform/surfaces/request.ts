import type { FastifyRequest } from 'fastify'
import { type Actor, nobody } from '../actor.ts'
import { platformFailure } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { requireOwnPage } from './own-page.ts'

/** The actor behind the bearer token of a request; modules' own routes use it too. */
export async function requireActor(platform: Platform, request: FastifyRequest): Promise<Actor> {
  const token = bearerToken(platform, request)
  const actor = token === undefined ? undefined : await platform.authenticate(token)
  if (actor === undefined) {
    throw platformFailure(
      'unauthenticated',
      token === undefined ? 'The request carries no token' : 'The token is unknown, expired or revoked',
    )
  }
  return actor
}

export async function actorOrNobody(platform: Platform, request: FastifyRequest): Promise<Actor> {
  const token = bearerToken(platform, request)
  return (token === undefined ? undefined : await platform.authenticate(token)) ?? nobody
}

/** `Authorization: Bearer`, or the cookie of the console on requests of its own pages. */
function bearerToken(platform: Platform, request: FastifyRequest): string | undefined {
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const cookie = /(?:^|; )pave_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
  if (cookie !== undefined) requireOwnPage(platform.services.config, request)
  return cookie
}

/** Chosen by the caller, so that a retry is told from a new request; cutting a long one could join two of them. */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (typeof key === 'string' && key.length > 255) {
    throw platformFailure('invalid_input', 'The Idempotency-Key is longer than 255 characters', {
      hint: 'Use a uuid.',
    })
  }
  return header(request, 'idempotency-key')
}

export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value.slice(0, 255) : undefined
}

/** The trace id of a W3C traceparent, else the request's own id. */
export function traceIdOf(request: FastifyRequest): string {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(header(request, 'traceparent') ?? '')?.[1] ?? request.id
}
