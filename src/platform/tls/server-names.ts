import { isIP } from 'node:net'
import type { Config } from '../config.ts'

type Named = Pick<Config, 'host' | 'url' | 'names' | 'machine'>

/** `[::1]` of a URL or a Host header, without its brackets. */
export const bareHost = (host: string): string => host.replace(/^\[(.*)\]$/, '$1').toLowerCase()

/** An address as URLs and browsers write it, `fd00:0::7` as `fd00::7`; a zone means nothing on another machine. */
export const shortAddress = (name: string): string =>
  isIP(name) === 6 ? new URL(`http://[${name.replace(/%.*$/, '')}]`).hostname.slice(1, -1) : name

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** Every name that this machine's Pave is reached by: what its own certificate is for, and where its pages may live. */
export function serverNames({ host, url, names, machine }: Named): string[] {
  const told = [...names, ...(isWildcard(host) ? [] : [host]), ...(url === undefined ? [] : [new URL(url).hostname])]
  const all = ['localhost', '127.0.0.1', '::1', machine, ...told].map(bareHost).map(shortAddress)
  return [...new Set(all)].filter((name) => isIP(name) !== 0 || /^[a-z0-9*]([a-z0-9._-]*[a-z0-9])?$/.test(name)).sort()
}

/** Where programs on this machine find the control plane. */
export function localUrl({ tls, host, port }: Pick<Config, 'tls' | 'host' | 'port'>): string {
  return `${schemeOf(tls)}://${reachable(host)}:${port}`
}

/** Where everybody finds the control plane: what was told, else what is true on this machine. */
export function controlPlaneUrl(config: Pick<Config, 'tls' | 'host' | 'port' | 'url'>): string {
  return config.url ?? localUrl(config)
}

/** Where other machines find it: where an address stands for all of them, the name of this machine. */
export function reachableUrl(config: Pick<Config, 'tls' | 'host' | 'port' | 'url' | 'machine'>): string {
  const { tls, host, port, machine } = config
  if (config.url !== undefined || !isWildcard(host)) return controlPlaneUrl(config)
  return `${schemeOf(tls)}://${machine}:${port}`
}

export function schemeOf(tls: Config['tls']): 'http' | 'https' {
  return tls.kind === 'files' || tls.kind === 'self-signed' ? 'https' : 'http'
}

/** An address for a URL, of the one that is listened on. */
export function reachable(host: string): string {
  if (isWildcard(host)) return '127.0.0.1'
  return isIP(host) === 6 ? `[${host}]` : host
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
