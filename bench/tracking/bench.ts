import { execFile } from 'node:child_process'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'undici'
import { type Bench, type Measurement, median } from '../measurement.ts'
import { idleMemory } from './idle-memory.ts'
import { startMlflow, startMlflowOnPostgres, startPaveServer, type TrackingServer } from './servers.ts'

const calls = 25
const seededRuns = 1000
const connections = 8
const uploadBytes = 100 * 1024 * 1024

type Result = Record<string, number>

/** What a training loop and a table of runs ask for, of Pave and of `mlflow server`, each with its defaults. */
const bench: Bench = async (say) => {
  const of = async (start: (resources: AsyncDisposableStack) => Promise<TrackingServer>) => {
    await using own = new AsyncDisposableStack()
    const server = await start(own)
    return { name: server.name, result: await measure(server, say) }
  }
  // One after the other, so that none has to share the machine with another that idles.
  const { result: ours } = await of(startPaveServer)
  const peer = await of(startMlflow)
  const onPostgres = await of(startMlflowOnPostgres)
  const row = (
    name: string,
    unit: string,
    limit?: { text: string; most?: number; least?: number; times: number },
  ): Measurement => {
    const [own = Number.NaN, other = Number.NaN] = [ours[name], peer.result[name]]
    const times = unit === 'ms' || unit === 'MB' ? other / own : own / other
    const met = limit && own <= (limit.most ?? Infinity) && own >= (limit.least ?? 0) && times >= limit.times
    return {
      name,
      unit,
      ours: own,
      peer: { name: peer.name, value: other },
      others: [{ name: onPostgres.name, value: onPostgres.result[name] ?? Number.NaN }],
      ...(limit !== undefined && { limit: { text: limit.text, met: met === true } }),
    }
  }
  return [
    row('log 1,000 points of one metric, p50', 'ms', { text: '≤ 15 ms, 10 times', most: 15, times: 10 }),
    row('log 1,000 metrics, p50', 'ms', { text: '≤ 15 ms, 10 times', most: 15, times: 10 }),
    row('log a batch again beside 20,000 points, p50', 'ms', { text: '50 times', times: 50 }),
    row('read a history of 20,000 points, p50', 'ms', { text: '10 times', times: 10 }),
    row(`create and fill runs, ${connections} connections`, '/s', { text: '≥ 600/s, 8 times', least: 600, times: 8 }),
    row('search 1,000 runs, p50', 'ms', { text: '≤ 80 ms, 20 times', most: 80, times: 20 }),
    row('upload 100 MiB', 'MB/s', { text: '≥ 200 MB/s', least: 200, times: 1 }),
    row('idle memory of all processes', 'MB', { text: '≤ 450 MB', most: 450, times: 1 }),
  ]
}

async function measure(server: TrackingServer, say: (text: string) => void): Promise<Result> {
  const result: Result = {}
  say(`${server.name}: at rest`)
  result['idle memory of all processes'] = await idleMemory(server.directory)
  const client = new Client(`http://127.0.0.1:${server.port}`, { bodyTimeout: 0, headersTimeout: 0 })
  const step = async (name: string, work: () => Promise<number>) => {
    say(`${server.name}: ${name}, load average ${loadavg()[0]?.toFixed(1)}`)
    result[name] = await work()
  }
  const ask = async (method: 'GET' | 'POST', path: string, body?: object): Promise<string> => {
    const answer = await client.request({
      method,
      path: `/api/2.0/mlflow/${path}`,
      headers: { ...server.headers, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    if (answer.statusCode !== 200) throw new Error(`${server.name} answers ${answer.statusCode}: ${text.slice(0, 300)}`)
    return text
  }
  const { experiment_id: experiment } = JSON.parse(await ask('POST', 'experiments/create', { name: 'bench' }))
  const newRun = async (): Promise<{ run_id: string; artifact_uri: string }> =>
    JSON.parse(await ask('POST', 'runs/create', { experiment_id: experiment, start_time: Date.now() })).run.info
  const batch = (run: string, metrics: object[]) => ask('POST', 'runs/log-batch', { run_id: run, metrics })

  const { run_id: first } = await newRun()
  await batch(first, points('warm', 0, 1000))
  await step('log 1,000 points of one metric, p50', () =>
    p50((index) => batch(first, points('loss', index * 1000, 1000))),
  )
  const { run_id: wide } = await newRun()
  await step('log 1,000 metrics, p50', () =>
    p50((index) =>
      batch(
        wide,
        points('m', 0, 1000).map((point, at) => ({ ...point, key: `metric ${at}`, step: index })),
      ),
    ),
  )
  const { run_id: long } = await newRun()
  for (let at = 0; at < 20_000; at += 1000) await batch(long, points('loss', at, 1000))
  const again = points('loss', 19_989, 11)
  await batch(long, again)
  await step('log a batch again beside 20,000 points, p50', () => p50(() => batch(long, again)))
  await step('read a history of 20,000 points, p50', () =>
    p50(
      () => ask('GET', `metrics/get-history?run_id=${long}&metric_key=loss&max_results=25000`),
      (text) => JSON.parse(text).metrics.length === 20_000,
    ),
  )
  const { experiment_id: crowd } = JSON.parse(await ask('POST', 'experiments/create', { name: 'crowd' }))
  await step(`create and fill runs, ${connections} connections`, () => createRuns(server, crowd))
  await step('search 1,000 runs, p50', () =>
    p50(
      () => ask('POST', 'runs/search', { experiment_ids: [crowd], max_results: seededRuns }),
      (text) => JSON.parse(text).runs.length === seededRuns,
    ),
  )
  const { artifact_uri } = await newRun()
  await step('upload 100 MiB', async () => {
    const rates: number[] = []
    for (let index = 0; index < 3; index++) {
      const started = performance.now()
      const answer = await client.request({
        method: 'PUT',
        path: `/api/2.0/mlflow-artifacts/artifacts/${artifact_uri.replace(/^mlflow-artifacts:\/*/, '')}/big-${index}.bin`,
        headers: { ...server.headers, 'content-type': 'application/octet-stream' },
        body: Buffer.alloc(uploadBytes, index + 1),
      })
      await answer.body.dump()
      if (answer.statusCode !== 200) throw new Error(`${server.name} answers ${answer.statusCode} to an upload`)
      rates.push(uploadBytes / 1000 / (performance.now() - started))
    }
    return median(rates)
  })
  await client.close()
  return result
}

/** Until the answer is there; what it says is looked at after that. */
async function p50(call: (index: number) => Promise<string>, isWhole: (text: string) => boolean = () => true) {
  const walls: number[] = []
  for (let index = 0; index < calls; index++) {
    const started = performance.now()
    const text = await call(index)
    walls.push(performance.now() - started)
    if (!isWhole(text)) throw new Error(`An answer lacks something: ${text.slice(0, 200)}`)
  }
  return median(walls)
}

function points(key: string, from: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    key,
    value: Math.sin(from + index),
    timestamp: 1_700_000_000_000 + (from + index) * 100,
    step: from + index,
  }))
}

/** Twenty metrics, twenty params and six tags for each run, as an autologger would. */
async function createRuns(server: TrackingServer, experiment: string): Promise<number> {
  const labels = (name: string, count: number) =>
    Array.from({ length: count }, (_, at) => ({ key: `${name}_${at}`, value: `value ${at}` }))
  const metrics = points('m', 0, 20).map((point, at) => ({ ...point, key: `metric_${at}`, step: 0 }))
  const batch = JSON.stringify({ metrics, params: labels('param', 20), tags: labels('tag', 6) })
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, 'load.ts'),
    String(server.port),
    String(connections),
    String(seededRuns),
    experiment,
    server.headers['authorization'] ?? '-',
    batch,
  ])
  return Number(stdout)
}

export default bench
