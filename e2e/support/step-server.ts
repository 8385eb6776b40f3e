import { once } from 'node:events'
import { createServer } from 'node:http'
import { onTestFinished } from 'vitest'

export interface StepServer {
  /** The command of a step that reports its name, and ends when it has an answer. */
  reports(name: string): string[]
  /** Names in the order in which steps reported, each as often as it ran. */
  reported: string[]
  /** Lets those go on that wait for an answer, now and later. */
  open(): void
}

/** Counts what steps really do, from outside: whoever reports a name in `waiting` gets no answer until `open`. */
export async function startStepServer(waiting: readonly string[]): Promise<StepServer> {
  const reported: string[] = []
  let opened = false
  let wake: Array<() => void> = []
  const server = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1)
    reported.push(name)
    const answer = () => void response.end('go on')
    if (opened || !waiting.includes(name)) answer()
    else wake.push(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    reported,
    reports: (name) => ['node', '-e', `fetch('http://127.0.0.1:${port}/${name}').then((answer) => answer.text())`],
    open() {
      opened = true
      for (const answer of wake) answer()
      wake = []
    },
  }
}
