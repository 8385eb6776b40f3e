import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { PredictionRecord } from '#modules/predictions/contract.ts'
import type { ServingPlan, SignedServingPlan } from '#modules/releases/contract.ts'
import { digestOf } from '#platform/ids.ts'
import type { NodeStatus } from './control-plane-client.ts'
import { keyId } from './verify-plan.ts'

/** What a node needs of the control plane, in memory, with faults on demand. */
export interface FakeControlPlane {
  url: string
  publicKey: string
  sign(plan: ServingPlan): SignedServingPlan
  /** Signs and offers a plan. */
  publish(plan: ServingPlan): void
  /** Offers a document as it is. */
  offer(document: unknown): void
  /** Returns the digest that the bytes are offered under. */
  putObject(bytes: Uint8Array): string
  corrupt(digest: string): void
  statuses: NodeStatus[]
  /** Records of chunks taken, each chunk once. */
  records: PredictionRecord[]
  /** Times that a node asked for a plan. */
  planRequests(): number
  /** Takes this many chunks of records but fails to say so. */
  forgetAnswers(count: number): void
  stop(): Promise<void>
  start(): Promise<void>
}

export const nodeToken = 'node-token'

export async function startFakeControlPlane(): Promise<FakeControlPlane> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const publicKey = createPublicKey(privateKey)
  const objects = new Map<string, Uint8Array>()
  const records: PredictionRecord[] = []
  const chunks = new Set<string>()
  const statuses: NodeStatus[] = []
  const waiting = new Set<() => void>()
  let document: unknown
  let generation = 0
  let forgotten = 0
  let asked = 0
  let port = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    const body = await buffer(request)
    if (request.headers.authorization !== `Bearer ${nodeToken}`) return void response.writeHead(401).end()
    if (url.pathname === '/internal/v1/serving-plan') {
      asked++
      if (Number(url.searchParams.get('after')) >= generation) await news()
      if (Number(url.searchParams.get('after')) >= generation) return void response.writeHead(204).end()
      return void response.end(JSON.stringify(document))
    }
    if (url.pathname.startsWith('/internal/v1/objects/')) {
      const bytes = objects.get(decodeURIComponent(url.pathname.split('/').at(-1) ?? ''))
      return void (bytes === undefined ? response.writeHead(404).end() : response.end(bytes))
    }
    if (url.pathname.endsWith('/status')) {
      statuses.push(JSON.parse(body.toString()))
      return void response.writeHead(204).end()
    }
    takeRecords(request, body, response)
  }

  function takeRecords(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const chunk = String(request.headers['x-pave-chunk'])
    if (`sha256:${createHash('sha256').update(body).digest('hex')}` !== request.headers['x-pave-digest']) {
      return void response.writeHead(400).end()
    }
    if (chunks.has(chunk)) return void response.end(JSON.stringify({ duplicate: true }))
    chunks.add(chunk)
    for (const line of body.toString().trimEnd().split('\n')) records.push(PredictionRecord.parse(JSON.parse(line)))
    if (forgotten-- > 0) return void request.socket.destroy()
    response.writeHead(204).end()
  }

  /** Until something is offered, or for as long as a long poll waits here. */
  function news(): Promise<void> {
    return new Promise((resolve) => {
      waiting.add(resolve)
      setTimeout(resolve, 1000).unref()
    })
  }

  let server = createServer()
  async function start(): Promise<void> {
    server = createServer((request, response) => {
      answer(request, response).catch(() => response.destroy())
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address !== null && typeof address === 'object') port = address.port
  }
  await start()

  const offer = (next: unknown) => {
    document = next
    generation = Number.POSITIVE_INFINITY
    for (const wake of waiting) wake()
    waiting.clear()
  }
  const signPlan = (plan: ServingPlan): SignedServingPlan => {
    const payload = JSON.stringify(plan)
    return {
      payload,
      signature: sign(null, Buffer.from(payload), privateKey).toString('base64'),
      keyId: keyId(publicKey),
    }
  }
  return {
    url: `http://127.0.0.1:${port}`,
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: signPlan,
    offer,
    publish(plan) {
      offer(signPlan(plan))
      generation = plan.generation
    },
    putObject(bytes) {
      const digest = digestOf(bytes)
      objects.set(digest, bytes)
      return digest
    },
    corrupt: (digest) => objects.set(digest, Buffer.from('not the artifact')),
    statuses,
    records,
    planRequests: () => asked,
    forgetAnswers(count) {
      forgotten = count
    },
    start,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
