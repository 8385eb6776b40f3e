import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'

// A closed loop over raw sockets, so that the generator costs less than any server: PORT, CONNECTIONS, SECONDS and FILE
// with complete requests as a JSON list. Prints how many were answered and the latencies.

const [port = '', connections = '', seconds = '', file = ''] = process.argv.slice(2)
const requests: Buffer[] = JSON.parse(await readFile(file, 'utf8')).map((text: string) => Buffer.from(text))
const warmUpMs = 500
const latencies: number[] = []
let failures = 0
let next = 0
let measuring = false
let stopped = false

const sockets = Array.from({ length: Number(connections) }, () =>
  ask(connect({ port: Number(port), host: '127.0.0.1' })),
)
setTimeout(() => {
  measuring = true
  // The reader of our CPU counters starts at this word.
  process.stdout.write('measuring\n')
}, warmUpMs)
setTimeout(
  () => {
    measuring = false
    stopped = true
    process.stdout.write('measured\n')
  },
  warmUpMs + Number(seconds) * 1000,
)
await Promise.all(sockets)
latencies.sort((a, b) => a - b)
const at = (share: number) =>
  latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN
console.log(JSON.stringify({ answered: latencies.length, failures, p50: at(0.5), p90: at(0.9), p99: at(0.99) }))

function ask(socket: Socket): Promise<void> {
  socket.setNoDelay(true)
  return new Promise((resolve, reject) => {
    let sentAt = 0
    let pending = ''
    const send = () => {
      sentAt = performance.now()
      const request = requests[next++ % requests.length]
      if (request !== undefined) socket.write(request)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () => (stopped ? resolve() : reject(new Error('The server closed a connection'))))
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1')
      const bodyAt = pending.indexOf('\r\n\r\n') + 4
      if (bodyAt < 4) return
      const length = Number(/content-length: *(\d+)/i.exec(pending)?.[1])
      if (pending.length < bodyAt + length) return
      if (!pending.startsWith('HTTP/1.1 200')) failures++
      if (measuring) latencies.push(performance.now() - sentAt)
      pending = ''
      if (stopped) socket.end()
      else send()
    })
  })
}
