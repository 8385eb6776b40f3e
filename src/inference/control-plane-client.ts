import type { Chunk } from './ship-segments.ts'

/** What a node tells the control plane about itself. */
export interface NodeStatus {
  environment: string
  /** Of the newest plan that it took; 0 before the first. */
  generation: number
  /** Loaded and warm, `model@version`. */
  versions: string[]
  failed: { version: string; reason: string }[]
  /** Local overrides in force. */
  overrides: { endpoint: string; version: string; reason: string; actor: string; at: string }[]
}

/** The node's side of the internal API. Every call has a deadline; an answer that is no success is an error. */
export interface ControlPlaneClient {
  /** The signed plan newer than `after`, as it came; undefined when there was none for a while. */
  fetchPlan(after: number, signal: AbortSignal): Promise<unknown>
  fetchObject(digest: string): Promise<Uint8Array>
  reportStatus(status: NodeStatus): Promise<void>
  sendRecords(chunk: Chunk): Promise<void>
}

const planTimeoutMs = 60_000
const objectTimeoutMs = 120_000
const callTimeoutMs = 10_000

export function createControlPlaneClient(options: {
  url: string
  node: string
  token: string
  environment: string
}): ControlPlaneClient {
  const { url, node, token, environment } = options
  const authorization = `Bearer ${token}`

  async function call(path: string, init: RequestInit, signal: AbortSignal, alsoFine?: number): Promise<Response> {
    const headers = { ...init.headers, authorization }
    const response = await fetch(new URL(path, url), { ...init, headers, signal, redirect: 'error' })
    if (response.ok || response.status === alsoFine) return response
    const text = await response.text()
    throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text.slice(0, 300)}`)
  }

  return {
    async fetchPlan(after, signal) {
      const path = `/internal/v1/serving-plan?environment=${encodeURIComponent(environment)}&after=${after}`
      const response = await call(path, {}, AbortSignal.any([signal, AbortSignal.timeout(planTimeoutMs)]))
      return response.status === 204 ? undefined : response.json()
    },
    async fetchObject(digest) {
      const path = `/internal/v1/objects/${encodeURIComponent(digest)}`
      const response = await call(path, {}, AbortSignal.timeout(objectTimeoutMs))
      return response.bytes()
    },
    async reportStatus(status) {
      const path = `/internal/v1/nodes/${encodeURIComponent(node)}/status`
      const headers = { 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(status) }
      await (await call(path, init, AbortSignal.timeout(callTimeoutMs))).body?.cancel()
    },
    async sendRecords({ id, digest, lines }) {
      const headers = {
        'content-type': 'application/x-ndjson',
        'x-pave-node': node,
        'x-pave-chunk': id,
        'x-pave-digest': digest,
      }
      const init = { method: 'POST', headers, body: new Uint8Array(lines) }
      // 409: it has this chunk already.
      const response = await call('/internal/v1/prediction-records', init, AbortSignal.timeout(callTimeoutMs), 409)
      await response.body?.cancel()
    },
  }
}
