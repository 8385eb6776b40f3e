import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'

export interface SteadyWriter {
  /** Names that were acknowledged. */
  acknowledged: string[]
  /** Answers that were neither success nor an invitation to try again. */
  refused: string[]
  /** How often a request was tried again: for want of an answer, and because of a 503. */
  repeated: { unanswered: number; unavailable: Set<string> }
  /** How often models were read. */
  reads: number
  stop(): Promise<void>
}

/**
 * Declares models and reads them back, over and over, as a careful client does: every write has an Idempotency-Key, and one
 * that got no answer, or was told to try again, is sent again as it was, to the next server.
 */
export function startSteadyWriter(options: {
  /** Asked before each attempt. */
  servers: () => readonly string[]
  token: string
  name: string
  writers?: number
}): SteadyWriter {
  const { servers, token, name, writers = 4 } = options
  const agent = new Agent({ keepAliveTimeout: 5_000, headersTimeout: 30_000 })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const writer: SteadyWriter = {
    acknowledged: [],
    refused: [],
    repeated: { unanswered: 0, unavailable: new Set() },
    reads: 0,
    stop,
  }
  let stopped = false
  let next = 0

  async function send(method: 'PUT' | 'GET', path: string, key: string, body?: string): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      const all = servers()
      const server = all[attempt % all.length]
      try {
        const answer = await request(`${server}${path}`, {
          method,
          headers: { ...headers, 'idempotency-key': key },
          dispatcher: agent,
          ...(body !== undefined && { body }),
        })
        const text = await answer.body.text()
        if (answer.statusCode === 200) return true
        if (answer.statusCode !== 503) {
          writer.refused.push(`${answer.statusCode} ${text}`)
          return false
        }
        if (answer.headers['retry-after'] === undefined) writer.refused.push(`503 without Retry-After: ${text}`)
        writer.repeated.unavailable.add(JSON.parse(text).code)
      } catch {
        writer.repeated.unanswered += 1
      }
      await pause(20)
    }
  }

  const working = Array.from({ length: writers }, async () => {
    while (!stopped) {
      const model = `${name}-${next++}`
      const body = JSON.stringify({ spec: { owner: 'ada', tier: 4, task: 'regression' } })
      if (await send('PUT', `/api/v1/models/${model}`, `key-${model}`, body)) writer.acknowledged.push(model)
      if (await send('GET', `/api/v1/models/${model}`, '')) writer.reads += 1
      await pause(5)
    }
  })

  async function stop(): Promise<void> {
    stopped = true
    await Promise.all(working)
    await agent.close()
  }
  return writer
}
