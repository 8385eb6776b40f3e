import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.ts'
import { platformFailure } from '../errors.ts'
import { bareHost, serverNames } from '../tls/server-names.ts'

/**
 * What a browser does by itself, with a cookie, must come from a page of this control plane. A page of somebody else could
 * ask in the reader's name (CSRF), or have its own host name lead here and then read the answers (DNS rebinding).
 * Programs send a token, which no page can make a browser send, and are not looked at; where they need none, `program`
 * accepts those that change something without naming a page.
 *
 * @throws `host_unknown`, `cross_site_request`
 */
export function requireOwnPage(
  config: Config,
  request: FastifyRequest,
  { program = 'refused' }: { program?: 'refused' | 'accepted' } = {},
): void {
  const host = request.headers.host ?? ''
  if (!isOwnHost(config, hostNameOf(host))) {
    throw platformFailure('host_unknown', `This control plane does not go by the name ${hostNameOf(host) || '(none)'}`)
  }
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) {
    if (site !== 'same-origin' && site !== 'none') throw foreign(`The browser says that the page is ${site}`)
    return
  }
  // A browser too old to say so itself: it names the page's origin at least with what changes something.
  const { origin } = request.headers
  if (origin === undefined) {
    if (program === 'accepted' || request.method === 'GET' || request.method === 'HEAD') return
    throw foreign('The request names no origin')
  }
  const page = URL.parse(origin)
  const same = page?.host === host || (config.url !== undefined && page?.origin === new URL(config.url).origin)
  if (!same) throw foreign(`The page is of ${origin}`)
}

const foreign = (reason: string) =>
  platformFailure('cross_site_request', `A session is good for the pages of this control plane alone. ${reason}`)

/** An address is no name that somebody else could have lead here. */
function isOwnHost(config: Config, name: string): boolean {
  if (isIP(name) !== 0 || name.endsWith('.localhost')) return true
  let names = known.get(config)
  if (names === undefined) {
    names = new Set(serverNames(config))
    known.set(config, names)
  }
  return names.has(name)
}

const known = new WeakMap<Config, ReadonlySet<string>>()

/** The name in a Host header, without the port. */
function hostNameOf(host: string): string {
  return bareHost(URL.parse(`http://${host}`)?.hostname ?? '')
}
