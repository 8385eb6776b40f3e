import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ListeningServer } from '#platform/tls/create-server.ts'
import { inferenceFailure } from './errors.ts'

/** @throws `inference_port_in_use` */
export async function listen(server: Server, { host, port }: { host: string; port: number }): Promise<AddressInfo> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    throw inferenceFailure('inference_port_in_use', `Port ${port} on ${host} is in use`, { cause: error })
  }
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('The server does not listen on a TCP port')
  return address
}

/** Stops listening and waits for the answers in flight; what is not answered by the deadline is cut off. */
export async function drain({ server, endHandshakes }: ListeningServer, deadlineMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  endHandshakes()
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await closed
  clearTimeout(deadline)
}
