import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext, type TlsOptions, type Server as TlsServer } from 'node:tls'
import type { Logger } from 'pino'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { tlsFailure } from './errors.ts'
import { ensureOwnCertificate, ownCertificateFiles } from './own-authority.ts'
import { serverNames } from './server-names.ts'

/** The certificate of this machine's servers, replaced while they run. */
export interface ServerTls {
  /** What a server is made with. */
  options: TlsOptions
  /** PEM files that other processes on this machine may serve with. */
  files: { cert: string; key: string }
  /** The certificate chain in force, the server's own first. */
  chain(): X509Certificate[]
  /** Keeps a server at the certificate in force. */
  follow(server: Pick<TlsServer, 'setSecureContext'>): void
  close(): void
}

interface Pair {
  cert: string
  key: string
  chain: X509Certificate[]
}

const minVersion = 'TLSv1.2'
const defaultPollMs = 2_000
const renewalMs = 3_600_000

/**
 * The certificate that the settings name, or one that Pave makes itself; undefined without TLS. Files are looked at all the
 * time: whoever replaces them need restart nothing. A pair that cannot be used is refused at the start, and later
 * passed over for the one in force.
 *
 * @throws `tls_certificate_invalid`
 */
export async function openServerTls(options: {
  config: Config
  /** Where a certificate of Pave's own is kept. */
  directory: string
  clock: Clock
  log: Logger
  pollMs?: number
}): Promise<ServerTls | undefined> {
  const { config, clock, log } = options
  const { tls } = config
  if (tls.kind === 'off' || tls.kind === 'proxy') return undefined
  const names = serverNames(config)
  const makeOwn = () => ensureOwnCertificate(options.directory, { names, now: clock.now() })
  const files = tls.kind === 'files' ? tls : await makeOwn()
  let pair = await (tls.kind === 'files' ? readPair(files, clock.now()) : readOwnPair(files, clock.now()))
  let refused = ''
  const servers = new Set<Pick<TlsServer, 'setSecureContext'>>()

  async function look(): Promise<void> {
    try {
      const next = await readPair(files, clock.now())
      if (next.cert === pair.cert && next.key === pair.key) return
      pair = next
      for (const server of servers) server.setSecureContext(contextOf(pair))
      refused = ''
      log.info({ file: files.cert, until: next.chain[0]?.validTo }, 'a new certificate is in force')
    } catch (error) {
      // Also seen between the two halves of a replacement, so it is told only while it lasts.
      const reason = error instanceof Error ? error.message : String(error)
      if (reason === refused) return
      refused = reason
      log.warn({ reason }, 'a new certificate cannot be used; the one in force stays')
    }
  }

  const timers = [repeatedly(look, options.pollMs ?? defaultPollMs)]
  if (tls.kind === 'self-signed') {
    const renew = () =>
      makeOwn().then(
        () => {},
        (error: unknown) => log.error({ err: error }, 'the certificate could not be renewed'),
      )
    timers.push(repeatedly(renew, renewalMs))
  }
  return {
    // A client that stalls in its handshake is given up soon, so that a stopping server waits for nobody.
    options: { ...contextOf(pair), handshakeTimeout: 10_000 },
    files,
    chain: () => pair.chain,
    follow(server) {
      servers.add(server)
      // It may have been replaced since the server was made.
      server.setSecureContext(contextOf(pair))
    },
    close() {
      for (const timer of timers) clearInterval(timer)
    },
  }
}

/** Where the authority of Pave's own certificates is, for clients. */
export function ownAuthorityFile(dataDir: string): string {
  return ownCertificateFiles(tlsDirectory(dataDir)).ca
}

export const tlsDirectory = (dataDir: string): string => join(dataDir, 'tls')

const contextOf = ({ cert, key }: Pair) => ({ cert, key, minVersion }) as const

/** Another process that shares the directory may just be replacing the one half and then the other. */
async function readOwnPair(files: { cert: string; key: string }, now: number): Promise<Pair> {
  for (let tries = 1; ; tries++) {
    try {
      return await readPair(files, now)
    } catch (error) {
      if (tries === 20) throw error
      await sleep(50)
    }
  }
}

async function readPair(files: { cert: string; key: string }, now: number): Promise<Pair> {
  const [cert, key] = await Promise.all([readText(files.cert), readText(files.key)])
  const chain = parseChain(cert, files.cert)
  const [leaf] = chain
  if (leaf === undefined) throw tlsFailure('tls_certificate_invalid', `${files.cert} holds no certificate`)
  if (now > leaf.validToDate.getTime()) {
    throw tlsFailure('tls_certificate_invalid', `The certificate in ${files.cert} expired on ${leaf.validTo}`)
  }
  if (now < leaf.validFromDate.getTime()) {
    throw tlsFailure(
      'tls_certificate_invalid',
      `The certificate in ${files.cert} is not valid before ${leaf.validFrom}`,
    )
  }
  if (!leaf.checkPrivateKey(parseKey(key, files.key))) {
    throw tlsFailure(
      'tls_certificate_invalid',
      `The key in ${files.key} is not that of the certificate in ${files.cert}`,
    )
  }
  try {
    createSecureContext({ cert, key, minVersion })
  } catch (cause) {
    throw tlsFailure('tls_certificate_invalid', `OpenSSL refuses ${files.cert}: ${textOf(cause)}`, { cause })
  }
  return { cert, key, chain }
}

function parseChain(pem: string, file: string): X509Certificate[] {
  try {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    return blocks.map((block) => new X509Certificate(block))
  } catch (cause) {
    throw tlsFailure('tls_certificate_invalid', `The certificate in ${file} cannot be read: ${textOf(cause)}`, {
      cause,
    })
  }
}

function parseKey(pem: string, file: string) {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw tlsFailure('tls_certificate_invalid', `${file} holds no private key in PEM without a passphrase`, { cause })
  }
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw tlsFailure('tls_certificate_invalid', `${file} cannot be read: ${textOf(cause)}`, { cause })
  })
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** One look at a time; none keeps the process alive. */
function repeatedly(work: () => Promise<void>, everyMs: number): NodeJS.Timeout {
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    void work().finally(() => {
      busy = false
    })
  }, everyMs)
  return timer.unref()
}
