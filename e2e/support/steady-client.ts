import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Place } from './start-pave.ts'
import { question } from './tiny-project.ts'

export interface SteadyClient {
  /** Ids of the requests that were answered. */
  answered: string[]
  /** What went wrong with the others: an answer that is no success, or no answer. Nothing is tried again. */
  failures: string[]
  stop(): Promise<void>
}

/** Asks the tiny model over and over on a few connections, as a product does that knows nothing of restarts. */
export function startSteadyClient(place: Place, token: string): SteadyClient {
  const pool = new Pool(place.inferenceUrl, { connections: 3, pipelining: 1 })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const answered: string[] = []
  const failures: string[] = []
  let stopped = false
  let next = 0
  const asking = Array.from({ length: 3 }, async () => {
    while (!stopped) {
      const id = `steady-${next++}`
      try {
        const body = JSON.stringify(question(id, new Date()))
        const answer = await pool.request({ method: 'POST', path: '/v2/models/tiny/infer', headers, body })
        const text = await answer.body.text()
        if (answer.statusCode === 200) answered.push(id)
        else failures.push(text)
      } catch (error) {
        failures.push(String(error))
      }
      await pause(5)
    }
  })
  return {
    answered,
    failures,
    async stop() {
      stopped = true
      await Promise.all(asking)
      await pool.close()
    },
  }
}
