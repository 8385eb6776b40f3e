import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'

export interface Received {
  path: string
  headers: Record<string, string | string[] | undefined>
  body: string
  json: { entity: string; action: string; timestamp: string; data: Record<string, unknown> }
}

export interface Receiver {
  url: string
  received: Received[]
  /** What it does with requests from now on. */
  answer(listener: RequestListener): void
  /** By the delivery id, so that one that came twice counts once. */
  told(): string[]
  close(): Promise<void>
}

/** A receiver of webhooks on loopback that answers 200 until it is told otherwise. */
export async function startReceiver(): Promise<Receiver> {
  let listener: RequestListener = (_, response) => response.end('thanks')
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    received.push({ path: request.url ?? '', headers: request.headers, body, json: JSON.parse(body) })
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The receiver has no port')
  return {
    url: `http://127.0.0.1:${address.port}/hook`,
    received,
    answer: (next) => {
      listener = next
    },
    told: () => [...new Set(received.map(({ headers }) => String(headers['x-mlflow-delivery-id'])))],
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** As a receiver would compute it by the documentation. */
export function signatureOf({ headers, body }: Received, secret: string): string {
  const signed = `${headers['x-mlflow-delivery-id']}.${headers['x-mlflow-timestamp']}.${body}`
  return `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`
}
