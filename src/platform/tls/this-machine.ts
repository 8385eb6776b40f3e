import { isIP } from 'node:net'
import type { Config } from '../config.ts'
import { tlsFailure } from './errors.ts'
import { bareHost, localUrl } from './server-names.ts'
import type { ServerTls } from './server-tls.ts'

/**
 * Where programs on this machine reach a server that listens here: under the address that it listens on where the
 * certificate is for that, else under the one that everybody uses.
 *
 * @throws `tls_untrusted`
 */
export function urlOnThisMachine(config: Config, tls: ServerTls | undefined): string {
  const url = localUrl(config)
  const [leaf] = tls?.chain() ?? []
  const host = bareHost(new URL(url).hostname)
  if (leaf === undefined || (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined) return url
  if (config.url !== undefined) return config.url
  throw tlsFailure(
    'tls_untrusted',
    `The certificate in ${tls?.files.cert} is for ${leaf.subjectAltName ?? leaf.subject}, and Pave listens on ${host}`,
    { hint: 'Name an address that the certificate is for with PAVE_URL.' },
  )
}

/**
 * Asks the server over TLS as the commands and the node on this machine will.
 *
 * @throws `tls_untrusted`
 */
export async function requireTrusted(url: string): Promise<void> {
  try {
    await (await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) })).body?.cancel()
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
    const code = cause !== undefined && 'code' in cause ? String(cause.code) : ''
    // An address that cannot be reached yet, because a balancer waits for this very server, is no fault of a certificate.
    if (!/CERT|SSL|TLS|ISSUER|SIGNATURE/.test(code)) return
    throw tlsFailure('tls_untrusted', `Programs on this machine do not accept the certificate at ${url}: ${code}`, {
      cause: error,
    })
  }
}
