import { Agent, request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { inTraces, template } from './spans.ts'

// A thread of its own, so that sending does not slow down what is measured.

const { url, token, connections, requests, spans, first } = z
  .object({
    url: z.string(),
    token: z.string(),
    connections: z.number(),
    requests: z.number(),
    spans: z.number(),
    first: z.number(),
  })
  .parse(workerData)

const agent = new Agent({ keepAlive: true, maxSockets: connections })
const made = template(spans)
const tracesOfRequest = (made.traceIds.at(-1)?.trace ?? 0) + 1
const bodies = Array.from({ length: requests }, (_, index) => inTraces(made, first + index * tracesOfRequest))

const started = performance.now()
await Promise.all(
  Array.from({ length: connections }, async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) await send(body)
  }),
)
agent.destroy()
parentPort?.postMessage({ seconds: (performance.now() - started) / 1000, spans: spans * requests })

function send(body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/x-protobuf',
      'x-mlflow-experiment-id': '0',
      'content-length': body.length,
    }
    request(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`))))
    })
      .on('error', reject)
      .end(body)
  })
}
