import type { Socket } from 'node:net'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import { tlsFailure } from './errors.ts'

const handshakeByte = 0x16
const silenceMs = 10_000

const { code, status, message, hint } = tlsFailure(
  'https_required',
  'This port speaks https, and the request came by plain http',
)
const answer = [
  `HTTP/1.1 ${status} Bad Request`,
  'content-type: application/problem+json',
  'connection: close',
  '',
  JSON.stringify({ type: `/docs/errors#${code}`, title: 'https required', status, code, detail: message, hint }),
].join('\r\n')

/**
 * Looks at the first byte of each connection to a TLS server: a plain HTTP request gets an answer that says so, where it
 * would see a connection that is cut off. Answers how to end the connections that have not finished their handshake,
 * which no `closeAllConnections` knows of.
 */
export function guardHandshakes(server: TlsServer): () => void {
  const handshakes = new Map<string, Socket>()
  const nameOf = (socket: Socket | TLSSocket) => `${socket.remoteAddress} ${socket.remotePort}`
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    handshakes.set(name, socket)
    const forget = () => void handshakes.delete(name)
    const giveUp = () => socket.destroy()
    socket.once('close', forget)
    socket.once('error', giveUp)
    socket.setTimeout(silenceMs, giveUp)
    socket.once('readable', () => {
      const chunk: Buffer | null = socket.read()
      if (chunk === null) return giveUp()
      socket.setTimeout(0)
      socket.off('timeout', giveUp)
      if (chunk[0] !== handshakeByte) return socket.end(answer, giveUp)
      socket.off('error', giveUp)
      socket.unshift(chunk)
      for (const listener of listeners) listener.call(server, socket)
    })
  })
  server.on('secureConnection', (socket: TLSSocket) => void handshakes.delete(nameOf(socket)))
  return () => {
    for (const socket of handshakes.values()) socket.destroy()
  }
}
