import { connect, type Socket } from 'node:net'

// A closed loop over raw sockets, so that the generator costs less than any server: each connection creates a run and logs
// one batch to it, until RUNS runs are made. Takes PORT, CONNECTIONS, RUNS, EXPERIMENT, AUTHORIZATION (or -) and the batch
// as JSON without its run_id; prints the requests in a second.

const [port = '', connections = '', runs = '', experiment = '', authorization = '-', batch = '{}'] =
  process.argv.slice(2)
const authorized = authorization === '-' ? '' : `authorization: ${authorization}\r\n`
let left = Number(runs)
const started = performance.now()
await Promise.all(
  Array.from({ length: Number(connections) }, () => work(connect({ port: Number(port), host: '127.0.0.1' }))),
)
console.log((2 * Number(runs) * 1000) / (performance.now() - started))

function request(path: string, body: string): string {
  const head = `POST /api/2.0/mlflow/${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${authorized}content-type: application/json\r\n`
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

function work(socket: Socket): Promise<void> {
  socket.setNoDelay(true)
  return new Promise((resolve, reject) => {
    let run: string | undefined
    let pending = ''
    const next = () => {
      if (run !== undefined) {
        socket.write(request('runs/log-batch', `{"run_id":"${run}",${batch.slice(1)}`))
      } else if (left-- > 0) {
        const body = {
          experiment_id: experiment,
          run_name: `run ${left}`,
          start_time: Date.now(),
          tags: [{ key: 'mlflow.user', value: 'ada' }],
        }
        socket.write(request('runs/create', JSON.stringify(body)))
      } else {
        socket.end(resolve)
      }
    }
    socket.on('connect', next)
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1')
      const bodyAt = pending.indexOf('\r\n\r\n') + 4
      if (bodyAt < 4 || pending.length < bodyAt + Number(/content-length: *(\d+)/i.exec(pending)?.[1])) return
      if (!pending.startsWith('HTTP/1.1 200')) reject(new Error(pending.slice(0, 500)))
      run = run === undefined ? /"run_id": ?"([0-9a-f]{32})"/.exec(pending)?.[1] : undefined
      pending = ''
      next()
    })
  })
}
