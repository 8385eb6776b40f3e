import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Platform } from '../platform.ts'
import { requireActor } from './request.ts'

/** Server-sent events of the caller's workspace: sealed ledger entries and the progress of jobs. */
export async function serveEvents(platform: Platform, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const actor = await requireActor(platform, request)
  reply.hijack()
  const response = reply.raw
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    connection: 'keep-alive',
  })
  response.write('retry: 1000\n\n')
  const stopFollowing = platform.events.follow(actor.workspace, (event) => {
    // A reader that does not keep up is cut off rather than buffered without end; it reconnects by itself.
    if (response.writableLength > 1024 * 1024) response.destroy()
    else response.write(`event: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`)
  })
  const heartbeat = setInterval(() => response.write(': still here\n\n'), 15_000)
  response.on('close', () => {
    clearInterval(heartbeat)
    stopFollowing()
  })
}
