import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'

export interface Question {
  id: string
  origin: string
  destination: string
  date: string
  distance: number
}

export interface Answer {
  probability: number
  variant: string
  milliseconds: number
  retries: number
}

export interface Asker {
  /** Undefined when the request failed for good. */
  ask(question: Question): Promise<Answer | undefined>
  close(): Promise<void>
}

const patienceMs = 15_000

/** The product: asks over keep-alive connections, and tries again while a node is being restarted. */
export function createAsker(inferenceUrl: string, token: string): Asker {
  const pool = new Pool(inferenceUrl, { connections: 8, pipelining: 1 })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return {
    async ask(question) {
      const body = JSON.stringify({
        id: question.id,
        inputs: [
          { name: 'origin', shape: [1], datatype: 'BYTES', data: [question.origin] },
          { name: 'destination', shape: [1], datatype: 'BYTES', data: [question.destination] },
          { name: 'date', shape: [1], datatype: 'BYTES', data: [question.date] },
          { name: 'distance', shape: [1], datatype: 'INT64', data: [question.distance] },
        ],
      })
      const until = performance.now() + patienceMs
      for (let retries = 0; performance.now() < until; retries++) {
        const started = performance.now()
        try {
          const response = await pool.request({ method: 'POST', path: '/v2/models/flight-delays/infer', headers, body })
          const text = await response.body.text()
          if (response.statusCode === 200) {
            const answer = JSON.parse(text)
            return {
              probability: answer.outputs[0].data[0],
              variant: answer.parameters?.variant ?? '',
              milliseconds: performance.now() - started,
              retries,
            }
          }
          if (response.statusCode !== 503) throw new Error(`${response.statusCode}: ${text}`)
        } catch (error) {
          if (!isConnectionError(error)) {
            process.stderr.write(`request ${question.id} failed: ${String(error)}\n`)
            return undefined
          }
        }
        await pause(50)
      }
      return undefined
    },
    close: () => pool.close(),
  }
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return /^(ECONN|UND_ERR_SOCKET|EPIPE)/.test(code)
}
