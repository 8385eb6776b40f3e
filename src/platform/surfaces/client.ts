import type { z } from 'zod'
import { PaveError, platformFailure } from '../errors.ts'
import { type AnswerOf, type Operation, pathParameters } from '../operation.ts'
import { clientFailure } from './client-errors.ts'

export interface ClientOptions {
  url: string
  token?: string | undefined
  fetch?: typeof fetch
}

export interface CallOptions {
  idempotencyKey?: string
  ifMatch?: string
  signal?: AbortSignal
}

/** What an operation that waits for approval answers in place of its output. */
export interface Pending {
  pending: { id: string; state: 'pending'; operation: string; quorum: number; evidenceDigest: string }
}

export interface Client {
  url: string
  /** Calls a declared operation; throws the PaveError that the server described. Waiting for approval throws too. */
  call<Op extends Operation>(operation: Op, input: z.input<Op['input']>, options?: CallOptions): Promise<AnswerOf<Op>>
  /** The same, telling an answer from a wait. */
  request<Op extends Operation>(
    operation: Op,
    input: z.input<Op['input']>,
    options?: CallOptions,
  ): Promise<{ status: number; output: AnswerOf<Op> | Pending; etag: string | undefined }>
  /** A request to a path that no declaration covers: uploads, downloads. */
  raw(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: RequestInit['body'] },
  ): Promise<Response>
}

/** The typed client that command line, console and tests use; every call goes over HTTP, as any user's would. */
export function createClient(options: ClientOptions): Client {
  const send = options.fetch ?? fetch
  const base = options.url.replace(/\/$/, '')
  const authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }

  async function raw(
    method: string,
    path: string,
    {
      headers = {},
      body,
      signal,
    }: { headers?: Record<string, string>; body?: RequestInit['body']; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const request: RequestInit & { duplex?: 'half' } = { method, headers: { ...authorization, ...headers } }
    if (body !== undefined) Object.assign(request, { body, duplex: 'half' })
    if (signal !== undefined) request.signal = signal
    let response: Response
    try {
      response = await send(`${base}${path}`, request)
    } catch (error) {
      if (signal?.aborted) throw error
      throw clientFailure('unreachable', `There is no answer from ${base}: ${reasonOf(error)}`, { cause: error })
    }
    if (!response.ok) throw await problemOf(response)
    return response
  }

  const request: Client['request'] = async (operation, input, call = {}) => {
    const fields = new Map<string, unknown>(Object.entries(input ?? {}))
    let path = operation.path
    for (const name of pathParameters(operation.path)) {
      path = path.replace(`:${name}`, encodeURIComponent(String(fields.get(name) ?? '')))
      fields.delete(name)
    }
    const headers: Record<string, string> = {}
    if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey
    if (call.ifMatch !== undefined) headers['if-match'] = call.ifMatch
    const signal = call.signal === undefined ? {} : { signal: call.signal }
    let response: Response
    if (operation.method === 'GET') {
      const query = new URLSearchParams()
      for (const [name, value] of fields) if (value !== undefined) query.set(name, String(value))
      response = await raw('GET', query.size > 0 ? `${path}?${query}` : path, { headers, ...signal })
    } else {
      headers['content-type'] = 'application/json'
      response = await raw(operation.method, path, {
        headers,
        body: JSON.stringify(Object.fromEntries(fields)),
        ...signal,
      })
    }
    return { status: response.status, output: await response.json(), etag: response.headers.get('etag') ?? undefined }
  }

  return {
    url: base,
    raw,
    request,
    async call(operation, input, call) {
      const { output } = await request(operation, input, call)
      if (isPending(output)) {
        throw platformFailure('approval_required', `${operation.name} waits for ${output.pending.quorum} approval(s)`, {
          hint: `An approver runs: pave approve ${output.pending.id}`,
          details: { pending: output.pending },
        })
      }
      return output
    },
  }
}

export function isPending(output: unknown): output is Pending {
  return (
    typeof output === 'object' &&
    output !== null &&
    'pending' in output &&
    typeof output.pending === 'object' &&
    output.pending !== null &&
    'evidenceDigest' in output.pending
  )
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

async function problemOf(response: Response): Promise<PaveError> {
  const text = await response.text()
  try {
    const problem = JSON.parse(text)
    return new PaveError(problem.code ?? 'unexpected_answer', problem.detail ?? problem.error ?? text, {
      status: response.status,
      hint: problem.hint ?? '',
      problems: problem.problems ?? [],
      ...(problem.details !== undefined && { details: problem.details }),
    })
  } catch {
    return clientFailure('unexpected_answer', `${response.url} answered ${response.status}: ${text.slice(0, 300)}`)
  }
}
