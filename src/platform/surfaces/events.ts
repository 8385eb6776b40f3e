import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Actor, allows } from '../actor.ts'
import { platformFailure } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { requireActor } from './request.ts'

const heartbeatMs = 15_000

/** Server-sent events of the caller's workspace: sealed ledger entries and the progress of jobs. */
export async function serveEvents(platform: Platform, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const actor = await requireReader(platform, request)
  reply.hijack()
  const response = reply.raw
  // Not with `writeHead`, which leaves nothing for others to look up.
  response.setHeader('content-type', 'text/event-stream')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('connection', 'keep-alive')
  response.writeHead(200)
  response.write('retry: 1000\n\n')
  const stopFollowing = platform.events.follow(actor.workspace, (event) => {
    // A reader that does not keep up is cut off rather than buffered without end; it reconnects by itself.
    if (response.writableEnded) return
    if (response.writableLength > 1024 * 1024) response.destroy()
    else response.write(`event: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`)
  })
  // What was allowed at the start may have been taken back: a token revoked, a role lost.
  const heartbeat = setInterval(() => {
    requireReader(platform, request).then(
      () => response.writableEnded || response.write(': still here\n\n'),
      () => response.destroy(),
    )
  }, heartbeatMs)
  response.on('close', () => {
    clearInterval(heartbeat)
    stopFollowing()
  })
}

async function requireReader(platform: Platform, request: FastifyRequest): Promise<Actor> {
  const actor = await requireActor(platform, request)
  if (!allows(actor.grants, 'ledger:read', {}))
    throw platformFailure('permission_denied', `${actor.name} lacks ledger:read`)
  return actor
}
