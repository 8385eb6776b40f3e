import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createToken, listTokens, revokeToken } from '#modules/identity/contract.ts'
import { getRun, putPipeline, readStepLog, startRun } from '#modules/pipelines/contract.ts'
import { predictionStatistics } from '#modules/predictions/contract.ts'
import { createJoinToken, getEndpoint } from '#modules/releases/contract.ts'
import { ensureOwnCertificate } from '#platform/tls/own-authority.ts'
import { trustAuthorities } from '#platform/tls/trust.ts'
import { cli, createPlace, type Pave, type Place, pave, startPave } from './support/start-pave.ts'
import { startSteadyClient } from './support/steady-client.ts'
import { endpoint, question, serveTinyModel } from './support/tiny-project.ts'
import { eventually } from './support/wait.ts'

// One Pave for the whole file, with a certificate of its own making.
let place: Place
let up: Pave
const cleanUps: Array<() => Promise<void>> = []

beforeAll(async () => {
  place = await createTlsPlace((work) => cleanUps.push(work))
  up = await startPave(place)
  await trustAuthorities(join(place.dataDir, 'tls', 'ca.crt'))
  await serveTinyModel(place, up)
})
afterAll(async () => {
  for (const work of cleanUps) await work()
})

async function createTlsPlace(cleanUp?: (work: () => Promise<void>) => void): Promise<Place> {
  const made = await createPlace(cleanUp)
  const secure = (url: string) => url.replace('http:', 'https:')
  const env = { ...made.env, PAVE_TLS: 'self-signed' }
  return { ...made, url: secure(made.url), inferenceUrl: secure(made.inferenceUrl), env }
}

/** `pave serve` in a place of its own; what it says goes to `serve.log` there. */
async function startNode(at: Place, args: readonly string[]) {
  const log = await open(join(at.dataDir, 'serve.log'), 'a')
  const child = spawn(process.execPath, [cli, 'serve', ...args], { env: at.env, stdio: ['ignore', log.fd, log.fd] })
  await log.close()
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    said: () => readFile(join(at.dataDir, 'serve.log'), 'utf8'),
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

/** Asks over a connection of its own. */
async function ask(at: Place, id: string): Promise<number> {
  const response = await fetch(`${at.inferenceUrl}/v2/models/tiny/infer`, {
    method: 'POST',
    headers: { authorization: `Bearer ${up.token}`, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(question(id, new Date('2001-03-04T12:30:00Z'))),
  })
  const { outputs } = await response.json()
  expect(outputs?.[0]?.data).toEqual([24])
  return response.status
}

function serialOf(url: string): Promise<string> {
  const { hostname: host, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) }, () => {
      resolve(socket.getPeerCertificate().serialNumber)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

test('commands, console, sign-in and events work over https, and plain http is told so', async () => {
  expect(await pave(place, ['whoami'])).toMatchObject({ code: 0, stdout: expect.stringContaining('admin') })
  expect(await (await fetch(`${place.url}/`)).text()).toContain('<html')
  const plain = await fetch(place.url.replace('https:', 'http:'))
  expect([plain.status, (await plain.json()).code]).toEqual([400, 'https_required'])

  const said = await readFile(join(place.dataDir, 'up.log'), 'utf8')
  const [, code] = /sign-in#(\S+)/.exec(said) ?? []
  const json = { 'content-type': 'application/json' }
  const session = await fetch(`${place.url}/console/session`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ code }),
  })
  const cookie = session.headers.get('set-cookie') ?? ''
  expect(cookie).toContain('; Secure')
  const leave = new AbortController()
  const headers = { cookie: cookie.split(';')[0] ?? '' }
  const events = await fetch(`${place.url}/api/v1/events`, { headers, signal: leave.signal })
  const [first] = await Array.fromAsync(take(events.body ?? [], 1))
  expect(Buffer.from(first ?? '').toString()).toContain('retry:')
  leave.abort()
})

async function* take<T>(source: AsyncIterable<T> | Iterable<T>, count: number): AsyncGenerator<T> {
  let taken = 0
  for await (const item of source) {
    yield item
    taken += 1
    if (taken === count) return
  }
}

test('a step finds Pave, over the API and as an MLflow server, and trusts it', { timeout: 60_000 }, async () => {
  const script = `
    const headers = { authorization: 'Bearer ' + process.env.MLFLOW_TRACKING_TOKEN, 'content-type': 'application/json' }
    const me = await fetch(process.env.PAVE_URL + '/api/v1/whoami', { headers })
    const mlflow = process.env.MLFLOW_TRACKING_URI + '/api/2.0/mlflow/experiments/search'
    const found = await fetch(mlflow, { method: 'POST', headers, body: '{"max_results": 5}' })
    const { readFileSync } = await import('node:fs')
    const bundle = readFileSync(process.env.REQUESTS_CA_BUNDLE, 'utf8').split('BEGIN CERTIFICATE').length
    console.log('seen', me.status, found.status, bundle > 50, process.env.SSL_CERT_FILE === process.env.REQUESTS_CA_BUNDLE)
  `
  const run = ['node', '--input-type=module', '-e', script]
  await up.admin.call(putPipeline, { pipeline: 'reach', spec: { steps: [{ name: 'reach', run }] } })
  const started = await up.admin.call(startRun, { pipeline: 'reach' })
  await eventually(async () => {
    const { state } = await up.admin.call(getRun, { run: started.run })
    return state !== 'queued' && state !== 'running'
  })
  const { text } = await up.admin.call(readStepLog, { run: started.run, step: 'reach' })
  expect(text).toContain('seen 200 200 true true')
})

test('a machine with an empty directory joins, serves over https, and starts again without the token', {
  timeout: 120_000,
}, async () => {
  const edge = await createTlsPlace()
  console.log('T1', Math.round(performance.now()), 'const edge = await createTlsPlace()')
  const made = await pave(place, ['create-join-token', '--environment', 'prod', '--expires-in', '10m', '--json'])
  console.log('T2', Math.round(performance.now()), "const made = await pave(place, ['create-join-token")
  const { joinToken } = JSON.parse(made.stdout)
  const first = await startNode(edge, ['--join', joinToken, '--name', 'edge-1'])
  console.log('T3', Math.round(performance.now()), "const first = await startNode(edge, ['--join', joi")
  await eventually(async () => (await first.said()).includes('edge-1 serves prod at https://'))
  console.log('T4', Math.round(performance.now()), 'await eventually(async () => (await first.said()).')
  await trustAuthorities(join(edge.dataDir, 'tls', 'ca.crt'))
  console.log('T5', Math.round(performance.now()), "await trustAuthorities(join(edge.dataDir, 'tls', '")
  const headers = { authorization: `Bearer ${up.token}` }
  const isReady = async () => {
    const answer = await fetch(`${edge.inferenceUrl}/v2/models/tiny/ready`, { headers }).catch(() => undefined)
    return answer?.status === 200
  }
  await eventually(isReady)
  console.log('T6', Math.round(performance.now()), 'await eventually(isReady)')
  expect(await ask(edge, 'from-the-edge')).toBe(200)
  console.log('T7', Math.round(performance.now()), "expect(await ask(edge, 'from-the-edge')).toBe(200)")
  expect(await first.said()).toContain('no online store')
  console.log('T8', Math.round(performance.now()), "expect(await first.said()).toContain('no online st")
  await eventually(async () => {
    const { nodes } = await up.admin.call(getEndpoint, endpoint)
    return nodes.some(({ node, failed }) => node === 'edge-1' && failed.length === 0)
  })
  console.log('T9', Math.round(performance.now()), '})')
  await eventually(async () => (await up.admin.call(predictionStatistics, endpoint)).items.length > 0)
  console.log('T10', Math.round(performance.now()), 'await eventually(async () => (await up.admin.call(')
  const twice = await pave(edge, ['serve', '--join', joinToken, '--name', 'edge-2'])
  console.log('T11', Math.round(performance.now()), "const twice = await pave(edge, ['serve', '--join',")
  expect([twice.code === 0, twice.stderr]).toEqual([false, expect.stringContaining('join_token_used_up')])
  await first.stop()
  console.log('T12', Math.round(performance.now()), 'await first.stop()')

  const again = await startNode(edge, ['--name', 'edge-1'])
  console.log('T13', Math.round(performance.now()), "const again = await startNode(edge, ['--name', 'ed")
  await eventually(isReady)
  console.log('T14', Math.round(performance.now()), 'await eventually(isReady)')

  // Shut out, it goes on with what it has, and says so.
  const { items } = await up.admin.call(listTokens, { limit: 200 })
  console.log('T15', Math.round(performance.now()), 'const { items } = await up.admin.call(listTokens, ')
  for (const { id } of items.filter(({ principal }) => principal === 'edge-1')) {
    await up.admin.call(revokeToken, { token: id })
  }
  // A new plan, which it does not get, ends the long poll that it waits in.
  await up.admin.call(createToken, { principal: 'admin', name: 'another', endpoints: ['*'] })
  console.log('T16', Math.round(performance.now()), "await up.admin.call(createToken, { principal: 'adm")
  await eventually(async () => (await again.said()).includes('refuses the token of edge-1'))
  console.log('T17', Math.round(performance.now()), 'await eventually(async () => (await again.said()).')
  const metrics = await (await fetch(`${edge.inferenceUrl}/metrics`)).text()
  console.log('T18', Math.round(performance.now()), 'const metrics = await (await fetch(`${edge.inferen')
  expect(metrics).toContain('pave_inference_control_plane{state="refused"} 1')
  expect(await ask(edge, 'still-there')).toBe(200)
  console.log('T19', Math.round(performance.now()), "expect(await ask(edge, 'still-there')).toBe(200)")
  await again.stop()
  console.log('T20', Math.round(performance.now()), 'await again.stop()')

  const fresh = await up.admin.call(createJoinToken, { environment: 'prod' })
  console.log('T21', Math.round(performance.now()), 'const fresh = await up.admin.call(createJoinToken,')
  const back = await startNode(edge, ['--join', fresh.joinToken, '--name', 'edge-1'])
  console.log('T22', Math.round(performance.now()), "const back = await startNode(edge, ['--join', fres")
  await eventually(async () => {
    const metrics = await fetch(`${edge.inferenceUrl}/metrics`).catch(() => undefined)
    return (await metrics?.text())?.includes('pave_inference_control_plane{state="answering"} 1')
  })
  console.log('T23', Math.round(performance.now()), '})')
  await back.stop()
  console.log('T24', Math.round(performance.now()), 'await back.stop()')
})

test('a certificate that is replaced under load is taken up on both planes, and no request is dropped', {
  timeout: 60_000,
}, async () => {
  const client = startSteadyClient(place, up.token)
  await eventually(() => client.answered.length > 50)
  const urls = [place.url, place.inferenceUrl]
  const before = await Promise.all(urls.map(serialOf))
  let replaced = false
  const newConnections = (async () => {
    let asked = 0
    for (; !replaced; asked++) expect(await ask(place, `new-${asked}`)).toBe(200)
    return asked
  })()
  await ensureOwnCertificate(join(place.dataDir, 'tls'), { names: ['127.0.0.1', 'renewed'], now: Date.now() })
  await eventually(async () => {
    const now = await Promise.all(urls.map(serialOf))
    return now.every((serial, index) => serial !== before[index])
  })
  const then = client.answered.length
  await eventually(() => client.answered.length > then + 50)
  replaced = true
  expect(await newConnections).toBeGreaterThan(5)
  await client.stop()
  expect(client.failures).toEqual([])
})
