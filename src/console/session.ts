import { createSignInLink, whoami } from '../modules/identity/contract.ts'
import { createClient } from '../platform/surfaces/client.ts'
import { client, queries } from './api.ts'

const json = { 'content-type': 'application/json' }

/** Trades the code of a one-time link for the session cookie. */
async function redeem(code: string): Promise<void> {
  await client.raw('POST', '/console/session', { headers: json, body: JSON.stringify({ code }) })
  queries.clear()
}

/**
 * Signs in with what people have at hand: a sign-in link, its code, or an API token. A token makes a one-time link for
 * its own principal, so that the browser keeps the session and never the token.
 */
export async function signIn(secret: string): Promise<void> {
  const given = secret.trim()
  if (!given.startsWith('pave_')) return redeem(given.slice(given.lastIndexOf('#') + 1))
  const own = createClient({ url: client.url, token: given })
  const { name } = await own.call(whoami, {})
  const { code } = await own.call(createSignInLink, { principal: name })
  return redeem(code)
}

export async function signOut(): Promise<void> {
  await client.raw('DELETE', '/console/session')
  window.location.assign('/sign-in')
}
