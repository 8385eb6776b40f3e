import type { Server, ServerResponse } from 'node:http'

/** How long one that stops still takes requests: three times what a balancer that asks each second needs to notice. */
export const lingerMs = 3_000

/**
 * Follows the requests of a server, so that it can be stopped without losing one: `drain` takes no new connection, ends
 * streams of events, whose readers come back by themselves, and waits for every other answer until the deadline.
 */
export function followRequests(server: Server): { drain(deadlineMs: number): Promise<void> } {
  const open = new Set<ServerResponse>()
  let draining = false
  let onEmpty = () => {}
  server.on('request', (_request, response: ServerResponse) => {
    open.add(response)
    if (draining && !response.headersSent) response.setHeader('connection', 'close')
    response.once('close', () => {
      open.delete(response)
      if (open.size === 0) onEmpty()
    })
  })
  return {
    async drain(deadlineMs) {
      draining = true
      server.close()
      server.closeIdleConnections()
      for (const response of open) {
        if (!response.headersSent) response.setHeader('connection', 'close')
        else if (response.getHeader('content-type') === 'text/event-stream') response.end()
      }
      if (open.size === 0) return
      await new Promise<void>((resolve) => {
        const deadline = setTimeout(resolve, deadlineMs)
        onEmpty = () => {
          clearTimeout(deadline)
          resolve()
        }
      })
    },
  }
}
