import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '#platform/config.ts'
import { exitCodes, type Output } from '#platform/surfaces/command-line.ts'
import { localUrl } from '#platform/tls/server-names.ts'

interface Part {
  flag: string
  name: string
  url: string
}

interface Found {
  name: string
  /** Nothing listens there, it answers well, or it does neither. */
  state: 'absent' | 'well' | 'ill'
  says: string
}

const timeoutMs = 3_000
const pollMs = 50

/**
 * Asks what runs on this machine how it is: with flags, those parts have to answer; without, whatever listens has to be
 * well, and something has to listen. So an image that may run any of them needs one check.
 */
export async function health(args: readonly string[], config: Config, output: Output): Promise<number> {
  const parts = partsOf(config)
  const wanted = parts.filter(({ flag }) => args.includes(flag))
  const found = await Promise.all((wanted.length > 0 ? wanted : parts).map(ask))
  const told = found.filter(({ state }) => wanted.length > 0 || state !== 'absent')
  output.out(
    told.length > 0
      ? told.map(({ name, says }) => `${name}: ${says}`).join('; ')
      : `nothing of Pave listens here: ${found.map(({ says }) => says).join('; ')}`,
  )
  return told.length > 0 && told.every(({ state }) => state === 'well') ? exitCodes.ok : exitCodes.refused
}

/** Whether the inference node of this machine answers in time. Ready it is later: when it holds a plan and its models. */
export async function nodeAnswers(config: Config, withinMs: number): Promise<boolean> {
  const node = { name: 'inference node', url: `${localUrl({ ...config, port: config.inferencePort })}/v2/health/live` }
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    if ((await ask(node)).state === 'well') return true
    await sleep(pollMs)
  }
  return false
}

function partsOf(config: Config): Part[] {
  const { tls, host, inferencePort, workerPort } = config
  // A worker speaks plain HTTP whatever the others do: it has nothing to tell but this.
  const workerUrl = localUrl({ tls: { kind: 'off' }, host, port: workerPort })
  return [
    { flag: '--control-plane', name: 'control plane', url: `${localUrl(config)}/health` },
    // Not whether it is ready: before the first release no node is, and nothing is wrong.
    { flag: '--node', name: 'inference node', url: `${localUrl({ tls, host, port: inferencePort })}/v2/health/live` },
    { flag: '--worker', name: 'worker', url: `${workerUrl}/health` },
  ]
}

/** Nothing is sent and only this machine is asked, so the certificate may be for other names and of any authority. */
async function ask({ name, url }: Omit<Part, 'flag'>): Promise<Found> {
  const send = url.startsWith('https:') ? tlsRequest : plainRequest
  const options = { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(timeoutMs) }
  return new Promise((resolve) => {
    const request = send(url, options, (response) => {
      response.resume()
      const { statusCode = 0 } = response
      if (statusCode === 200) resolve({ name, state: 'well', says: 'ok' })
      else resolve({ name, state: 'ill', says: `${url} answers ${statusCode}` })
    })
    request.once('error', (error: NodeJS.ErrnoException) => {
      const late = error.name === 'AbortError' || error.name === 'TimeoutError'
      const reason = late ? `no answer within ${timeoutMs / 1000} s` : (error.code ?? error.message)
      resolve({ name, state: error.code === 'ECONNREFUSED' ? 'absent' : 'ill', says: `${url} ${reason}` })
    })
    request.end()
  })
}
