import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { createClient } from '@redis/client'
import { Client } from 'undici'
import { nodeToken, startFakeControlPlane } from '#inference/fake-control-plane.ts'
import { pythonEnvironment } from '../../e2e/clients/python-environment.ts'
import { type Bench, type Measurement, median } from '../measurement.ts'
import { onCore, pinned, program, type Server, startRedis, startServer } from './servers.ts'
import { features, servingPlan, token, trainModel, writeFeatures, writeRequests } from './world.ts'

const rounds = 5
const seconds = 2
const connections = [1, 8, 32]
const samples = 200

interface Round {
  /** Answers in a second. */
  rate: number
  p50: number
  p90: number
  p99: number
  /** CPU of the server for one answer, in microseconds. */
  cpu: number
}

/**
 * Requests of one row with features to look up: Pave's node beside FastAPI with the same model and the same values, and
 * what bare `node:http` and bare ONNX Runtime take.
 */
const bench: Bench = async (say) => {
  const environment = pythonEnvironment(program('requirements.txt'))
  if ('missing' in environment) throw new Error(`The peer needs Python and its packages: ${environment.missing}`)
  const { python } = environment
  await using resources = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 'pave-serving-'))
  resources.defer(() => rm(directory, { recursive: true, force: true }))

  say('training the model and filling the stores')
  const model = trainModel()
  const modelFile = join(directory, 'model.onnx')
  await writeFile(modelFile, model)
  const onlineUrl = `lmdb://${directory}/online`
  const values = await writeFeatures(onlineUrl)
  const valuesFile = join(directory, 'values.json')
  await writeFile(valuesFile, JSON.stringify(values))
  const { file, requests } = await writeRequests(directory, 5000)

  const control = await startFakeControlPlane()
  resources.defer(() => control.stop())
  control.publish(servingPlan(control.putObject(model)))
  const redis = await startRedis()
  if (redis === undefined) say('redis-server is not installed: the peer looks features up in a dictionary only')
  else {
    resources.defer(redis.stop)
    await fillRedis(redis.url, values)
  }

  const start = async (name: string, command: string[], env: Record<string, string>, ready: string) => {
    const server = await startServer({ name, command, env }, ready)
    resources.defer(server.stop)
    return server
  }
  const paveEnv = {
    DIRECTORY: join(directory, 'node'),
    CONTROL_URL: control.url,
    NODE_TOKEN: nodeToken,
    PLAN_KEY: control.publicKey,
    ONLINE_URL: onlineUrl,
  }
  const peer = (name: string, source: string) =>
    start(name, [python, program('peer.py')], { MODEL: modelFile, FEATURES: source, TOKEN: token }, '/docs')
  const pave = await start('Pave', [process.execPath, program('pave-node.ts')], paveEnv, '/v2/health/ready')
  const dictionary = await peer('FastAPI, dictionary', valuesFile)
  const withRedis = redis && (await peer('FastAPI, Redis', redis.url))
  const bare = await start('bare node:http', [process.execPath, program('bare-http.ts')], {}, '/')

  const answering = [pave, dictionary, ...(withRedis === undefined ? [] : [withRedis])]
  await requireSameAnswers(answering, requests.slice(0, samples))
  say(`${samples} answers are the same; ${pinned ? 'servers on core 0, load on core 1' : 'not pinned to cores'}`)

  const servers = [...answering, bare]
  say('warming up')
  for (const server of servers) await load(server, 32, 5, file)
  const measurements: Measurement[] = []
  for (const count of connections) {
    const taken = new Map(servers.map((server): [Server, Round[]] => [server, []]))
    for (let round = 0; round < rounds; round++) {
      say(`${count} connections, round ${round + 1} of ${rounds}, load average ${loadavg()[0]?.toFixed(1)}`)
      // Another one first each time: what disturbs the machine for a while disturbs no server alone.
      for (let index = 0; index < servers.length; index++) {
        const server = servers[(index + round) % servers.length]
        if (server !== undefined) taken.get(server)?.push(await load(server, count, seconds, file))
      }
    }
    const of = (server: Server, measure: keyof Round) => median((taken.get(server) ?? []).map((one) => one[measure]))
    for (const other of servers.slice(1)) {
      const row = (name: string, unit: string, measure: keyof Round): Measurement => ({
        name: `${count} connections: ${name}`,
        unit,
        ours: of(pave, measure),
        peer: { name: other.name, value: of(other, measure) },
      })
      const cpu = row('CPU for one answer', 'µs', 'cpu')
      const met = cpu.peer === undefined || cpu.ours <= cpu.peer.value
      // With fewer connections the server mostly waits, and what it does by the clock counts for few answers. The
      // dictionary is no store: what it holds ends with the process.
      if (other === withRedis && count === connections.at(-1)) cpu.limit = { text: 'at most the peer', met }
      measurements.push(
        cpu,
        row('answers', '/s', 'rate'),
        row('latency p50', 'ms', 'p50'),
        row('latency p90', 'ms', 'p90'),
        row('latency p99', 'ms', 'p99'),
      )
    }
  }
  const alone = async (command: string[]) => {
    const [first = '', ...rest] = onCore(0, [...command, modelFile, String(features.length)])
    return Number((await promisify(execFile)(first, rest)).stdout)
  }
  measurements.push({
    name: 'ONNX Runtime by itself, one row, CPU',
    unit: 'µs',
    ours: await alone([process.execPath, program('run-onnx.ts')]),
    peer: { name: 'in Python', value: await alone([python, program('run-onnx.py')]) },
  })
  return measurements
}

/** Probabilities to within what 32-bit arithmetic may differ by; the rest of the answer to the letter. */
async function requireSameAnswers(servers: readonly Server[], requests: readonly string[]): Promise<void> {
  for (const request of requests) {
    const answers = await Promise.all(servers.map((server) => ask(server, request)))
    const [first] = answers
    for (const [index, { probability, rest }] of answers.entries()) {
      const far = Math.abs(probability - (first?.probability ?? Number.NaN))
      if (far <= 1e-6 && rest === first?.rest) continue
      throw new Error(
        `${servers[index]?.name} answers ${rest} ${probability}, not ${first?.rest} ${first?.probability}`,
      )
    }
  }
}

async function ask({ port, name }: Server, request: string): Promise<{ probability: number; rest: string }> {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const lines = head.split('\r\n').slice(1)
  const headers = Object.fromEntries(lines.map((line) => line.split(': ')).filter(([key]) => key !== 'host'))
  const client = new Client(`http://127.0.0.1:${port}`)
  try {
    const answer = await client.request({ method: 'POST', path: '/v2/models/flight-delays/infer', headers, body })
    const text = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`${name} answers ${answer.statusCode}: ${text}`)
    const parsed = JSON.parse(text)
    const [output] = parsed.outputs
    const [probability] = output.data.splice(0)
    return { probability, rest: JSON.stringify(parsed) }
  } finally {
    await client.close()
  }
}

/** One run of the generator, in a process and on a core of its own. */
async function load(server: Server, count: number, seconds: number, file: string): Promise<Round> {
  const [first = '', ...rest] = onCore(1, [process.execPath, program('load.ts')])
  const args = [...rest, String(server.port), String(count), String(seconds), file]
  const child = spawn(first, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let [from, to, last] = [0, 0, '']
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'measuring') from = server.cpuMs()
    else if (line === 'measured') to = server.cpuMs()
    else last = line
  }
  const { answered, failures, p50, p90, p99 } = JSON.parse(last)
  if (failures > 0) throw new Error(`${server.name} failed ${failures} of ${answered} requests`)
  return { rate: answered / seconds, p50, p90, p99, cpu: ((to - from) * 1000) / answered }
}

async function fillRedis(url: string, values: Record<string, unknown>): Promise<void> {
  const client = createClient({ url })
  await client.connect()
  await client.mSet(Object.entries(values).map(([key, value]): [string, string] => [key, JSON.stringify(value)]))
  await client.close()
}

export default bench
