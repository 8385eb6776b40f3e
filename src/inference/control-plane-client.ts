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
  /** What became of the chunk; an error means that it is to be sent again. */
  sendRecords(chunk: Chunk): Promise<'taken' | 'refused'>
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

  async function call(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const headers = { ...init.headers, authorization }
    const response = await fetch(new URL(path, url), { ...init, headers, signal, redirect: 'error' })
    if (response.ok) return response
    const text = await response.text()
    throw new CallRefused(
      `${init.method ?? 'GET'} ${path} answered ${response.status}: ${text.slice(0, 300)}`,
      response.status,
      codeOf(text),
    )
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
      try {
        const response = await call('/internal/v1/prediction-records', init, AbortSignal.timeout(callTimeoutMs))
        await response.body?.cancel()
        return 'taken'
      } catch (error) {
        if (!(error instanceof CallRefused)) throw error
        // It has this chunk already, from before a loss of power that cost this node the end of it.
        if (error.code === 'chunk_conflict') return 'taken'
        if (unmendable.has(error.status)) return 'refused'
        throw error
      }
    },
  }
}

/** Statuses that sending the same bytes again cannot change. */
const unmendable = new Set([400, 413, 422])

export class CallRefused extends Error {
  readonly status: number
  readonly code: string | undefined

  constructor(message: string, status: number, code: string | undefined) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The code of a problem document. */
function codeOf(text: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(text)
    if (typeof problem !== 'object' || problem === null || !('code' in problem)) return undefined
    return typeof problem.code === 'string' ? problem.code : undefined
  } catch {
    return undefined
  }
}
