import { createServer as createPlainServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { guardHandshakes } from './guard-handshakes.ts'
import type { ServerTls } from './server-tls.ts'

export interface ListeningServer {
  server: Server
  /** Ends the connections that have not finished their handshake, which `closeAllConnections` does not know of. */
  endHandshakes(): void
}

/** An HTTP server, over TLS where there is a certificate to serve with. */
export function createServer(
  tls: ServerTls | undefined,
  options: ServerOptions,
  listener: RequestListener,
): ListeningServer {
  if (tls === undefined) return { server: createPlainServer(options, listener), endHandshakes() {} }
  const server = createTlsServer({ ...tls.options, ...options }, listener)
  tls.follow(server)
  return { server, endHandshakes: guardHandshakes(server) }
}
