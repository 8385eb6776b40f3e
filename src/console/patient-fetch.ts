import { isFromPave, reportAway, reportHere, untilHere } from './connection.ts'
import { signedInAgain } from './session-ended.ts'

/**
 * The console's `fetch`. Reading waits while Pave does not answer, so that a page keeps what it shows and goes on by
 * itself. A change is told that it was not answered, and the same change sent again bears the same idempotency key, so
 * that it happens once. Either waits while somebody whose session has ended signs in again.
 */
export async function patientFetch(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const changes = (init.method ?? 'GET') !== 'GET'
  const request = changes ? withKey(String(url), init) : init
  for (;;) {
    if (!changes) await untilHere(init.signal)
    const response = await answerTo(url, request)
    if (response === undefined) {
      if (!changes) continue
      throw new Error('whether this change was made is not known. Send it again when Pave answers: it happens once')
    }
    if (response.status === 401 && isOfApi(url) && (await signedInAgain(changes))) continue
    forgetKey(String(url), init)
    return response
  }
}

/** Undefined when nobody answered. */
async function answerTo(url: string | URL | Request, request: RequestInit): Promise<Response | undefined> {
  try {
    const response = await fetch(url, request)
    if (isFromPave(response)) {
      reportHere()
      return response
    }
  } catch (error) {
    if (request.signal?.aborted === true) throw error
  }
  reportAway()
  return undefined
}

const isOfApi = (url: string | URL | Request) => new URL(String(url), window.location.href).pathname.startsWith('/api/')

/** The keys of changes that were sent and not yet answered. */
const keys = new Map<string, string>()

const changeOf = (url: string, { method, body }: RequestInit) =>
  `${method} ${url} ${typeof body === 'string' ? body : ''}`

function withKey(url: string, init: RequestInit): RequestInit {
  const headers = new Headers(init.headers)
  if (!headers.has('idempotency-key')) {
    const change = changeOf(url, init)
    const key = keys.get(change) ?? freshKey()
    keys.set(change, key)
    headers.set('idempotency-key', key)
  }
  return { ...init, headers }
}

function forgetKey(url: string, init: RequestInit): void {
  keys.delete(changeOf(url, init))
}

/** `crypto.randomUUID` is there on secure pages only. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
