import type { Config } from '#platform/config.ts'
import { isLoopback } from '#platform/tls/server-names.ts'

/**
 * It is no error: a network may be protected otherwise, as a container's is. But nobody should find out from a stolen
 * token.
 */
export function warnOfOpenTransport({ host, tls }: Config, what: string, say: (text: string) => void): void {
  if (tls.kind !== 'off' || isLoopback(host)) return
  say(
    `WARNING: ${what} listens on ${host} without TLS; whoever can listen on the network reads its tokens and data. ` +
      'Set PAVE_TLS=self-signed, or PAVE_TLS_CERT and PAVE_TLS_KEY; if a proxy speaks https for it, PAVE_TLS=proxy.',
  )
}
