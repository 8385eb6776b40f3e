import { randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { Config } from '../config.ts'
import { tlsFailure } from './errors.ts'
import { ownAuthorityFile, tlsDirectory } from './server-tls.ts'

/** Of each file, what this process trusts because of it; a file that is read again takes the place of what it was. */
const trusted = new Map<string, string[]>()

/** What Node trusts by itself, as it was before anything was added. */
let initial: string[] | undefined

/**
 * Lets every connection of this process trust the authorities in a file too, beside those that Node brings.
 *
 * @throws `tls_authority_invalid`
 */
export async function trustAuthorities(file: string): Promise<void> {
  trusted.set(file, await readAuthorities(file))
  setDefaultCACertificates([...all()])
}

/**
 * Trusts what this machine's settings ask for: the authority that Pave made here, and PAVE_CA. Answers the file for
 * programs that are started, undefined when theirs will do.
 */
export async function trustConfigured({
  tls,
  caFile,
  dataDir,
}: Config & { dataDir: string }): Promise<string | undefined> {
  if (caFile !== undefined) await trustAuthorities(caFile)
  if (tls.kind === 'self-signed') await trustAuthorities(ownAuthorityFile(dataDir))
  if (caFile === undefined && tls.kind !== 'self-signed') return undefined
  const bundle = bundleFile(dataDir)
  await mkdir(dirname(bundle), { recursive: true, mode: 0o755 })
  await writeTrustBundle(bundle)
  return bundle
}

/** What programs on this machine trust beside the usual authorities to reach Pave; undefined when that is nothing. */
export function localAuthorities({ tls, caFile, dataDir }: Config & { dataDir: string }): string | undefined {
  if (tls.kind !== 'self-signed') return caFile
  return caFile === undefined ? ownAuthorityFile(dataDir) : bundleFile(dataDir)
}

const bundleFile = (dataDir: string) => join(tlsDirectory(dataDir), 'trusted.pem')

/**
 * Writes a file for programs that take one file of authorities in place of their own: everything that this process
 * trusts, and what the machine does.
 */
async function writeTrustBundle(file: string): Promise<void> {
  const bundle = new Set([...all(), ...getCACertificates('system')].map((pem) => pem.trimEnd()))
  // Several processes share the directory, and in containers all of them may have the same process id.
  const mine = `${file}.${randomBytes(6).toString('hex')}.new`
  await writeFile(mine, `${[...bundle].join('\n')}\n`, { mode: 0o644 })
  await rename(mine, file)
}

async function readAuthorities(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw tlsFailure('tls_authority_invalid', `The authorities in ${file} cannot be read`, { cause })
  })
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    for (const block of blocks) new X509Certificate(block)
  } catch (cause) {
    throw tlsFailure('tls_authority_invalid', `${file} holds a certificate that cannot be read`, { cause })
  }
  if (blocks.length === 0) throw tlsFailure('tls_authority_invalid', `${file} holds no certificate`)
  return blocks
}

function all(): Set<string> {
  initial ??= getCACertificates('default')
  return new Set([...initial, ...[...trusted.values()].flat()])
}
