import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { issueCertificate, newTlsKey } from './issue-certificate.ts'
import { shortAddress } from './server-names.ts'

export interface OwnCertificateFiles {
  /** What clients trust; public. */
  ca: string
  cert: string
  key: string
}

const dayMs = 86_400_000
const authorityDays = 3650
const serverDays = 90
/** Before the clock of a client that lags. */
const headStartMs = dayMs
const commonName = 'Pave on this machine'

export function ownCertificateFiles(directory: string): OwnCertificateFiles {
  return { ca: join(directory, 'ca.crt'), cert: join(directory, 'server.crt'), key: join(directory, 'server.key') }
}

/**
 * An authority of this data directory and a certificate that it issued for the names: made at the first call, and made anew
 * when a third of its life is left, or when the names change. The authority keeps its key for good, so that whoever
 * pinned it still finds it after its certificate was renewed.
 */
export async function ensureOwnCertificate(
  directory: string,
  { names, now }: { names: readonly string[]; now: number },
): Promise<OwnCertificateFiles> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const files = ownCertificateFiles(directory)
  const authorityKey = await ensureKey(join(directory, 'ca.key'))
  const lasts = (days: number) => ({ from: now - headStartMs, until: now + days * dayMs })
  let authority = await readCertificate(files.ca)
  if (authority === undefined || !isKeyOf(authority, authorityKey) || isOld(authority, now, authorityDays)) {
    const publicKey = createPublicKey(authorityKey)
    const issuer = { commonName, privateKey: authorityKey }
    const pem = issueCertificate({ commonName, publicKey, issuer, ...lasts(authorityDays) })
    await replace(files.ca, pem, 0o644)
    authority = new X509Certificate(pem)
  }
  // Several processes may share the directory: whoever writes last finds here whether the two halves fit.
  while (!(await stands(files, authority, { names, now }))) {
    await issueServerCertificate(files, { names, authority, authorityKey, ...lasts(serverDays) })
  }
  return files
}

async function stands(
  files: OwnCertificateFiles,
  authority: X509Certificate,
  { names, now }: { names: readonly string[]; now: number },
): Promise<boolean> {
  const [known, knownKey] = await Promise.all([readCertificate(files.cert), readKey(files.key)])
  return (
    known !== undefined &&
    knownKey !== undefined &&
    isKeyOf(known, knownKey) &&
    known.verify(authority.publicKey) &&
    !isOld(known, now, serverDays) &&
    namesOf(known) === [...new Set(names.map(shortAddress))].sort().join(' ')
  )
}

async function issueServerCertificate(
  files: OwnCertificateFiles,
  options: {
    names: readonly string[]
    authority: X509Certificate
    authorityKey: KeyObject
    from: number
    until: number
  },
): Promise<void> {
  const { names, authority, authorityKey, from, until } = options
  const serverKey = newTlsKey()
  const pem = issueCertificate({
    commonName: names[0] ?? 'localhost',
    publicKey: createPublicKey(serverKey),
    issuer: { commonName, privateKey: authorityKey },
    names: [...new Set(names)],
    from,
    until,
  })
  // The chain has its root, so that a client which was told the digest of the root's key finds it there.
  await replace(files.key, serverKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600)
  await replace(files.cert, pem + authority.toString(), 0o644)
}

async function ensureKey(file: string): Promise<KeyObject> {
  const known = await readKey(file)
  if (known !== undefined) return known
  const mine = scratchOf(file)
  await writeFile(mine, newTlsKey().export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flush: true })
  try {
    // Of several that start at once the first link wins, whole, and everybody reads what it holds.
    await link(mine, file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    if ((await readKey(file)) === undefined) await copyFile(mine, file)
  }
  await rm(mine)
  return createPrivateKey(await readFile(file))
}

async function readKey(file: string): Promise<KeyObject | undefined> {
  return parsed(file, createPrivateKey)
}

async function readCertificate(file: string): Promise<X509Certificate | undefined> {
  return parsed(file, (text) => new X509Certificate(text))
}

/** A file that was cut off is as good as none: what it held can be made anew. */
async function parsed<T>(file: string, parse: (text: string) => T): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  try {
    return text === undefined ? undefined : parse(text)
  } catch {
    return undefined
  }
}

function isKeyOf(certificate: X509Certificate, key: KeyObject): boolean {
  return certificate.checkPrivateKey(key)
}

function isOld(certificate: X509Certificate, now: number, days: number): boolean {
  return now > certificate.validToDate.getTime() - (days * dayMs) / 3 || now < certificate.validFromDate.getTime()
}

function namesOf(certificate: X509Certificate): string {
  const names = (certificate.subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''))
  return names.map(shortAddress).sort().join(' ')
}

async function replace(file: string, text: string, mode: number): Promise<void> {
  const mine = scratchOf(file)
  await writeFile(mine, text, { mode, flush: true })
  await rename(mine, file)
}

/** In containers, several processes that share the directory may have the same process id. */
const scratchOf = (file: string) => `${file}.${randomBytes(6).toString('hex')}.new`
