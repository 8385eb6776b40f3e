import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { Transform } from 'node:stream'
import { onTestFinished } from 'vitest'

/** What happens to one exchange; without any it passes as it is. */
export interface Fault {
  /** Answers this in place of the server. */
  answer?: { status: number; body: string }
  /** Never answers. */
  hang?: boolean
  /** Gives the server other bytes than were sent, or the client others than were stored. */
  damageRequest?: boolean
  damageAnswer?: boolean
  /** Closes the connection after so many bytes of the answer, or stands still there. */
  breakAfter?: number
  stallAfter?: number
  /** Ends the answer early, as if it were the whole. */
  truncateTo?: number
  /** The server gets the request, and the client no answer. */
  loseAnswer?: boolean
}

export interface FaultyProxy {
  url: string
  /** Asked for each request. */
  fault: (request: IncomingMessage) => Fault | undefined
  seen: string[]
}

/** Stands between a client and an HTTP server. */
export async function startFaultyProxy(target: () => string): Promise<FaultyProxy> {
  const server = createServer((incoming, outgoing) => {
    proxy.seen.push(`${incoming.method} ${incoming.url}`)
    pass(target(), incoming, outgoing, proxy.fault(incoming) ?? {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('The proxy has no port')
  const proxy: FaultyProxy = { url: `http://127.0.0.1:${address.port}`, fault: () => undefined, seen: [] }
  return proxy
}

function pass(target: string, incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault): void {
  if (fault.hang) return
  if (fault.answer !== undefined) {
    incoming.resume()
    outgoing.writeHead(fault.answer.status, { 'content-type': 'application/xml' }).end(fault.answer.body)
    return
  }
  const onward = request(target + incoming.url, { method: incoming.method, headers: incoming.headers })
  onward.on('error', () => outgoing.destroy())
  onward.on('response', (answer) => {
    if (fault.loseAnswer) {
      outgoing.destroy()
      return
    }
    const headers = { ...answer.headers }
    if (fault.truncateTo !== undefined) headers['content-length'] = String(fault.truncateTo)
    outgoing.writeHead(answer.statusCode ?? 500, headers)
    outgoing.flushHeaders()
    answer.on('error', () => outgoing.destroy())
    answer.pipe(damaged(fault, outgoing)).pipe(outgoing)
  })
  incoming.pipe(fault.damageRequest ? damaged({ damageAnswer: true }, outgoing) : damaged({}, outgoing)).pipe(onward)
}

function damaged(fault: Fault, outgoing: ServerResponse): Transform {
  let passed = 0
  const most = Math.min(
    ...[fault.breakAfter, fault.stallAfter, fault.truncateTo].map((limit) => limit ?? Number.POSITIVE_INFINITY),
  )
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const kept = Buffer.from(piece.subarray(0, Math.max(0, most - passed)))
      if (fault.damageAnswer && passed === 0 && kept.length > 0) kept[0] = (kept[0] ?? 0) ^ 1
      passed += piece.length
      if (kept.length > 0) this.push(kept)
      if (passed < most) return done()
      if (fault.breakAfter !== undefined) setTimeout(() => outgoing.destroy(), 10)
      else if (fault.truncateTo !== undefined) done()
    },
  })
}
