import { client, queries } from './api.ts'

/**
 * Trades what people have at hand for a session cookie: a sign-in link, its code, or an API token. The browser keeps the
 * session and never the token.
 */
export async function openSession(secret: string): Promise<void> {
  const given = secret.trim()
  const body = given.startsWith('pave_') ? { token: given } : { code: given.slice(given.lastIndexOf('#') + 1) }
  const headers = { 'content-type': 'application/json' }
  await client.raw('POST', '/console/session', { headers, body: JSON.stringify(body) })
}

export async function signIn(secret: string): Promise<void> {
  await openSession(secret)
  queries.clear()
}

export async function signOut(): Promise<void> {
  await client.raw('DELETE', '/console/session')
  window.location.assign('/sign-in')
}

/** Where to go after signing in: a page of this console, whatever the address says. */
export function pageToReturnTo(from: unknown): string {
  const target = typeof from === 'string' && from.startsWith('/') ? URL.parse(from, window.location.origin) : null
  if (target === null || target.origin !== window.location.origin || target.pathname === '/sign-in') return '/'
  return `${target.pathname}${target.search}${target.hash}`
}
