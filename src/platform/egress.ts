import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { defineErrors, failure, PaveError } from './errors.ts'
import { addressFilter } from './public-address.ts'

export interface EgressRequest {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** From the first connection to the last byte, redirects included. 30 s by default. */
  timeoutMs?: number
  /** Most bytes of the answer's body. 10 MiB by default. */
  maxBytes?: number
  /** 5 by default; 0 refuses any redirect. */
  maxRedirects?: number
  signal?: AbortSignal
}

export interface EgressResponse {
  status: number
  /** Lower-case names; repeated headers joined by a comma. */
  headers: Record<string, string>
  /** Where the last redirect led. */
  url: string
  body: Buffer
}

export interface EgressStream extends Omit<EgressResponse, 'body'> {
  /** Fails with `egress_too_large` or `egress_timeout`; leaving its loop closes the connection. */
  body: AsyncIterable<Buffer>
}

/**
 * The one way out to URLs that people configure. It connects to public addresses only, by http and https: the address is
 * checked when it is connected to, for each redirect anew, so a host name that changes its mind is refused too.
 * Any HTTP status is an answer, not an error.
 */
export interface Egress {
  /**
   * Fails as a request to the URL would now, as far as that can be told without connecting: for what people configure
   * today and Pave calls later.
   */
  check(url: string): Promise<void>
  fetch(url: string, request?: EgressRequest): Promise<EgressResponse>
  /** The same, with the body as it arrives; for server-sent events and large downloads. */
  stream(url: string, request?: EgressRequest): Promise<EgressStream>
  close(): Promise<void>
}

export interface EgressOptions {
  /** Addresses, CIDR ranges and host names to be reached although they are not public: `10.0.0.0/8`, `ray.internal`. */
  allowPrivate?: readonly string[]
  /** Resolves host names; the system's resolver by default. */
  lookup?: LookupFunction
}

export const egressErrors = defineErrors({
  egress_url_invalid: {
    status: 422,
    summary: 'The URL cannot be used for an outgoing request.',
    hint: 'Use an absolute http or https URL; send credentials in a header, not in the URL.',
  },
  egress_address_refused: {
    status: 422,
    summary: 'The URL leads to an address that is not public.',
    hint: 'Use a public address, or have an operator add the host or range to the allowed private addresses.',
  },
  egress_timeout: {
    status: 504,
    summary: 'The other server did not answer in time.',
    hint: 'Check that it is up and fast enough, or raise the timeout.',
  },
  egress_too_large: {
    status: 502,
    summary: 'The answer of the other server is larger than allowed.',
    hint: 'Ask that server for less.',
  },
  egress_too_many_redirects: {
    status: 502,
    summary: 'The other server redirects too often.',
    hint: 'Use the URL that it finally leads to.',
  },
  egress_unreachable: {
    status: 502,
    summary: 'The other server cannot be reached.',
    hint: 'Check the host name, the port, the certificate and that the server is up.',
  },
})

const egressFailure = failure(egressErrors)

/** What another origin may see of a request that was meant for the first one. */
const harmlessHeaders = new Set(['accept', 'accept-language', 'content-type', 'user-agent'])
const redirects = new Set([301, 302, 303, 307, 308])

export function createEgress(options: EgressOptions = {}): Egress {
  const guard = createGuard(options)
  // The deadline of each request governs; undici's own would cut long answers short.
  const agent = new Agent({ connect: guardedConnector(guard), headersTimeout: 0, bodyTimeout: 0 })

  const egress: Egress = {
    async check(text) {
      const url = parseUrl(text)
      const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
      if (isIP(hostname) !== 0) {
        if (!guard.allowed(hostname, hostname)) throw refused(hostname, hostname)
        return
      }
      await new Promise<void>((resolve, reject) => {
        guard.lookup(hostname, { all: true }, (error) => (error ? reject(error) : resolve()))
      }).catch((error: unknown) => {
        throw notReached(error, url)
      })
    },

    async stream(url, request = {}) {
      const { timeoutMs = 30_000, maxBytes = 10 * 2 ** 20, maxRedirects = 5 } = request
      const deadline = AbortSignal.timeout(timeoutMs)
      const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline
      let hop = firstHop(url, request)
      for (let followed = 0; ; followed++) {
        const explain = (error: unknown) => explained(error, hop.url, request.signal, deadline, timeoutMs)
        const response = await send(agent, hop, signal).catch((error: unknown) => {
          throw explain(error)
        })
        const location = response.headers['location']
        if (!redirects.has(response.statusCode) || typeof location !== 'string') {
          const { statusCode: status, headers, body } = response
          return { status, headers: flat(headers), url: hop.url.href, body: bounded(body, maxBytes, hop.url, explain) }
        }
        response.body.on('error', () => undefined).destroy()
        if (followed === maxRedirects)
          throw egressFailure('egress_too_many_redirects', `${url} redirects more than ${maxRedirects} times`)
        hop = nextHop(hop, response.statusCode, location)
      }
    },

    async fetch(url, request) {
      const { body, ...response } = await egress.stream(url, request)
      const chunks: Buffer[] = []
      for await (const chunk of body) chunks.push(chunk)
      return { ...response, body: Buffer.concat(chunks) }
    },

    close: () => agent.destroy(),
  }
  return egress
}

interface Hop {
  url: URL
  method: NonNullable<EgressRequest['method']>
  headers: Record<string, string>
  body: string | Uint8Array | undefined
}

function firstHop(url: string, { method = 'GET', headers = {}, body }: EgressRequest): Hop {
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return { url: parseUrl(url), method, headers: Object.fromEntries(lowerCase), body }
}

/** As browsers do (Fetch standard, 4.4): 303, and POST by 301 or 302, go on as GET; another origin gets no secrets. */
function nextHop(hop: Hop, status: number, location: string): Hop {
  const url = parseUrl(location, hop.url)
  const toGet = status === 303 ? hop.method !== 'HEAD' : status < 303 && hop.method === 'POST'
  const kept = Object.entries(hop.headers).filter(
    ([name]) => (url.origin === hop.url.origin || harmlessHeaders.has(name)) && !(toGet && name.startsWith('content-')),
  )
  const headers = Object.fromEntries(kept)
  return toGet ? { url, method: 'GET', headers, body: undefined } : { ...hop, url, headers }
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base)
  if (!url || !/^https?:$/.test(url.protocol))
    throw egressFailure('egress_url_invalid', `${text} is not an absolute http or https URL`)
  if (url.username !== '' || url.password !== '')
    throw egressFailure('egress_url_invalid', `The URL to ${url.host} holds credentials`)
  return url
}

function send(
  agent: Agent,
  { url, method, headers, body }: Hop,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers,
    body: body ?? null,
    signal,
  })
}

interface Guard {
  allowed(hostname: string, address: string): boolean
  /** Answers the allowed addresses of a name only, and fails when there is none. */
  lookup: LookupFunction
}

function createGuard({ allowPrivate = [], lookup = systemLookup }: EgressOptions): Guard {
  const names = new Set(allowPrivate.map((entry) => entry.toLowerCase()))
  const addresses = addressFilter(allowPrivate)
  const allowed = (hostname: string, address: string) => names.has(hostname.toLowerCase()) || addresses(address)

  const guardedLookup: LookupFunction = (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, [])
      const all = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found
      const [first, ...others] = all.filter(({ address }) => allowed(hostname, address))
      if (first === undefined) return callback(refused(hostname, all.map(({ address }) => address).join(', ')), [])
      if (options.all) callback(null, [first, ...others])
      else callback(null, first.address, first.family)
    })
  return { allowed, lookup: guardedLookup }
}

/**
 * A connector that refuses what is not allowed at the moment of connecting: an address in the URL at once, a name when it
 * is resolved, in the very answer that the socket then uses.
 */
function guardedConnector({ allowed, lookup }: Guard): buildConnector.connector {
  const connect = buildConnector({ lookup })
  return (options, callback) => {
    const { hostname } = options
    if (isIP(hostname) !== 0 && !allowed(hostname, hostname)) callback(refused(hostname, hostname), null)
    else connect(options, callback)
  }
}

const refused = (hostname: string, addresses: string) =>
  egressFailure('egress_address_refused', `${hostname} is at ${addresses}, which is not a public address`)

/** Header values as one string each; set-cookie is the only one that comes as several. */
function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]))
}

async function* bounded(
  body: AsyncIterable<Buffer>,
  maxBytes: number,
  url: URL,
  explain: (error: unknown) => unknown,
): AsyncGenerator<Buffer> {
  let received = 0
  try {
    for await (const chunk of body) {
      received += chunk.length
      if (received > maxBytes)
        throw egressFailure('egress_too_large', `${url.origin} answered with more than ${maxBytes} bytes`)
      yield chunk
    }
  } catch (error) {
    throw explain(error)
  }
}

function explained(
  error: unknown,
  url: URL,
  abort: AbortSignal | undefined,
  deadline: AbortSignal,
  timeoutMs: number,
): unknown {
  if (error instanceof PaveError) return error
  if (abort?.aborted) return abort.reason
  if (deadline.aborted)
    return egressFailure('egress_timeout', `${url.origin} did not answer within ${timeoutMs} ms`, { cause: error })
  return notReached(error, url)
}

function notReached(error: unknown, url: URL): PaveError {
  if (error instanceof PaveError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return egressFailure('egress_unreachable', `${url.origin} cannot be reached: ${reason}`, { cause: error })
}
