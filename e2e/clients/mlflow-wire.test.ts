import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identity } from '#modules/identity/module.ts'
import { registry } from '#modules/registry/module.ts'
import { traces } from '#modules/traces/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { webhooks } from '#modules/webhooks/module.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { startMlflowServer } from './mlflow-server.ts'
import { type Step, steps } from './mlflow-wire-steps.ts'
import { pythonEnvironment } from './python-environment.ts'
import { type StockClient, startForClient } from './stock-client.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

interface Server {
  url: string
  token?: string
  kept: Map<string, string>
}

/** The same requests to `mlflow server` and to Pave. What is not the same in the answers is in the list of steps, with its reason. */
describe.skipIf('missing' in environment)('beside the server of MLflow', { timeout: 300_000 }, () => {
  let peer: Awaited<ReturnType<typeof startMlflowServer>>
  let client: StockClient
  let servers: [Server, Server]
  beforeAll(async () => {
    client = await startForClient([identity, tracking, registry, traces, webhooks, mlflow], 'admin')
    peer = await startMlflowServer('python' in environment ? environment.python : '', {
      folder: client.folder,
      args: ['--backend-store-uri', 'sqlite:///mlflow.db', '--workers', '1'],
    })
    servers = [
      { url: peer.url, kept: new Map() },
      { url: client.url, token: client.token, kept: new Map() },
    ]
  })
  afterAll(async () => {
    peer.stop()
    await client.stop()
  })

  it('answers are the same', async () => {
    const wrong: object[] = []
    for (const step of steps) {
      const [theirs, ours] = await Promise.all([answerTo(servers[0], step), answerTo(servers[1], step)])
      const same = isDeepStrictEqual(sorted(theirs), sorted(ours))
      // What is said to differ must, so that the list of reasons stays true.
      if (same === (step.differs !== undefined)) wrong.push({ ask: step.ask, body: step.body, theirs, ours })
    }
    expect(wrong).toEqual([])
  })
})

async function answerTo({ url, token, kept }: Server, { ask, body, headers, keep }: Step) {
  const [method = '', path = ''] = [ask.slice(0, ask.indexOf(' ')), ask.slice(ask.indexOf(' ') + 1)]
  const filled = fill(path, kept)
  const payload = body === undefined ? undefined : fill(typeof body === 'string' ? body : JSON.stringify(body), kept)
  const response = await fetch(`${url}${filled.startsWith('/') ? '' : '/api/2.0/mlflow/'}${filled}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, fill(value, kept)])),
      ...(payload !== undefined && { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' }),
    },
    ...(payload !== undefined && { body: payload }),
  })
  const text = await response.text()
  const answer = read(text) ?? text.slice(0, 100)
  for (const [name, where] of Object.entries(keep ?? {})) kept.set(name, String(at(answer, where)))
  return { status: response.status, answer: neutral(answer, kept) }
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fill(text: string, kept: Map<string, string>): string {
  return text.replaceAll(/\{([a-z0-9]+)\}/g, (whole, name) => kept.get(name) ?? whole)
}

function at(answer: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => Reflect.get(Object(value), key), answer)
}

const isTime = /(time|timestamp|timestamp_ms)$/
const aDay = 86_400_000
const now = Date.now()

/**
 * What only one of them tells, with no client asking: classes of an error that follow from its code, the workspace (which
 * the token says here), who made a run without saying so, the logged model of a version, where a trace is kept.
 */
const untold = new Set([
  'error_class',
  'sqlstate',
  'workspace',
  'user_id',
  'version.model_id',
  'dataset.digest',
  'dataset.experiment_ids',
  'assessment.last_update_time',
  'mlflow.artifactLocation',
  'mlflow.traceName',
  'mlflow.trace.spansLocation',
  'mlflow.trace.infoFinalized',
])

function kindOf(object: object): string {
  if ('current_stage' in object) return 'version'
  if ('assessment_id' in object) return 'assessment'
  return 'dataset_id' in object ? 'dataset' : ''
}

/** Without what is another each time: ids, times of now, tokens, and the words of errors. */
function neutral(answer: unknown, kept: Map<string, string>, key = ''): unknown {
  if (Array.isArray(answer)) {
    return answer.filter((one) => !untold.has(String(at(one, 'key')))).map((one) => neutral(one, kept, key))
  }
  if (typeof answer === 'object' && answer !== null) {
    const kind = kindOf(answer)
    const told = Object.entries(answer).filter(([name]) => !untold.has(name) && !untold.has(`${kind}.${name}`))
    return Object.fromEntries(told.map(([name, value]) => [name, neutral(value, kept, name)]))
  }
  if (typeof answer === 'number' && Math.abs(answer) === Number.MAX_VALUE) return answer > 0 ? 'Infinity' : '-Infinity'
  if (typeof answer === 'number') return isTime.test(key) && answer > now - aDay ? 'now' : answer
  if (typeof answer !== 'string') return answer
  if (key === 'message') return 'words'
  if (key === 'next_page_token') return 'token'
  if (isTime.test(key) && Date.parse(answer) > now - aDay) return 'now'
  if (/^[[{]/.test(answer)) return neutral(read(answer) ?? answer.slice(1), kept)
  const named = [...kept].filter(([, value]) => value.length > 5)
  const text = named.reduce((text, [name, value]) => text.replaceAll(value, `{${name}}`), answer)
  return text.replaceAll(/\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '{id}')
}

/** MLflow answers pairs of keys and values, and what a run read, in no order. */
function sorted(answer: unknown): unknown {
  if (Array.isArray(answer)) {
    const list = answer.map(sorted)
    const names = list.map((one) => at(one, 'key') ?? at(one, 'dataset.name') ?? at(one, 'digest'))
    if (names.some((name) => typeof name !== 'string') || new Set(names).size < names.length) return list
    return list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (typeof answer !== 'object' || answer === null) return answer
  return Object.fromEntries(
    Object.entries(answer)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, sorted(value)]),
  )
}
