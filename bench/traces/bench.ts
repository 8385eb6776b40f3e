import { Worker } from 'node:worker_threads'
import { bindRole, createPrincipal, createToken } from '#modules/identity/contract.ts'
import { listSpans, searchTraces } from '#modules/traces/contract.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { type Bench, type Measurement, median } from '../measurement.ts'
import { type BenchPave, startPave } from '../platform/start-pave.ts'
import { idOf, inTraces, template } from './spans.ts'

const requests = 120
const spansOfRequest = 512
const connections = 4
const rounds = 3
const leastSpans = 10_000
const manySpans = 33_000
const spansOfPart = 1000
const openWithin = 2000

/** OTLP through the door that exporters use, and reading what came in: a large trace, and searches among many. */
const bench: Bench = async (say) => {
  say('starting Pave')
  const pave = await startPave({ extra: [mlflow] })
  try {
    const { http, platform } = pave.controlPlane
    const url = await http.listen({ host: '127.0.0.1', port: 0 })
    const run = { actor: pave.actor }
    await platform.run(createPrincipal, { ...run, input: { name: 'exporter' } })
    await platform.run(bindRole, { ...run, input: { principal: 'exporter', role: 'contributor' } })
    const { token } = await platform.run(createToken, { ...run, input: { principal: 'exporter', name: 'bench' } })
    say(`sending ${rounds} times ${requests} requests of ${spansOfRequest} spans`)
    const ingested = await ingest(url, token)
    say(`opening a trace of ${manySpans} spans`)
    const opened = await openLarge(url, token)
    say('searching')
    return [...ingested, ...opened, ...(await search(pave))]
  } finally {
    await pave.stop()
  }
}

async function ingest(url: string, token: string): Promise<Measurement[]> {
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    const data = { url, token, connections, requests, spans: spansOfRequest, first: round * 1_000_000 }
    const worker = new Worker(new URL('./load.ts', import.meta.url), { workerData: data })
    const { seconds, spans } = await new Promise<{ seconds: number; spans: number }>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    rates.push(spans / seconds)
  }
  const ours = median(rates)
  const limit = { text: `at least ${leastSpans}`, met: ours >= leastSpans }
  return [{ name: `OTLP, ${connections} connections`, unit: 'spans/s', ours, limit }]
}

async function openLarge(url: string, token: string): Promise<Measurement[]> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/x-protobuf',
    'x-mlflow-experiment-id': '0',
  }
  const first = 900_000_000
  for (let from = 0; from < manySpans; from += spansOfPart) {
    const body = Uint8Array.from(inTraces(template(spansOfPart, { traces: 1, from }), first))
    const sent = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body })
    if (sent.status !== 200) throw new Error(await sent.text())
  }
  const times: number[] = []
  let spans = 0
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    const answer = await fetch(`${url}/api/v1/traces/${idOf(first)}/spans`, { headers })
    spans = listSpans.output.parse(await answer.json()).span.length
    times.push(performance.now() - started)
  }
  const ours = median(times)
  return [
    {
      name: `list the spans of a trace (${spans})`,
      unit: 'ms',
      ours,
      limit: { text: `at most ${openWithin}`, met: ours <= openWithin },
    },
  ]
}

async function search({ controlPlane, actor }: BenchPave): Promise<Measurement[]> {
  const measured: Measurement[] = []
  for (const filter of [
    '',
    "trace.status = 'ERROR'",
    "span.name = 'step 3' AND span.type = 'PARSER'",
    "span.name = 'nothing'",
    "trace.text LIKE '%no such text%'",
  ]) {
    const times: number[] = []
    for (let round = 0; round < 5; round++) {
      const started = performance.now()
      await controlPlane.platform.run(searchTraces, { actor, input: { experiments: ['0'], filter, limit: 100 } })
      times.push(performance.now() - started)
    }
    measured.push({ name: `search: ${filter || 'newest 100'}`, unit: 'ms', ours: median(times) })
  }
  return measured
}

export default bench
