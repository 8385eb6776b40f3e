import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'

export interface CertificateRequest {
  commonName: string
  publicKey: KeyObject
  /** Who signs; an authority's own certificate is signed by itself. */
  issuer: { commonName: string; privateKey: KeyObject }
  from: number
  until: number
  /** DNS names and IP addresses of a server; absent for an authority. */
  names?: readonly string[]
}

/** A fresh key of the curve that every TLS client knows. */
export function newTlsKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

/**
 * An X.509 certificate (RFC 5280) in PEM, signed with ECDSA and SHA-256: of an authority that signs servers and no other
 * authorities, or of a server. It carries what strict verifiers ask for: key usage and both key identifiers.
 */
export function issueCertificate(request: CertificateRequest): string {
  const { commonName, publicKey, issuer, from, until, names } = request
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'))
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    nameOf(issuer.commonName),
    sequence(time(from), time(until)),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(publicKey, createPublicKey(issuer.privateKey), names))),
  )
  const certificate = sequence(body, algorithm, bitString(sign('sha256', body, issuer.privateKey)))
  return new X509Certificate(certificate).toString()
}

function extensions(publicKey: KeyObject, issuerKey: KeyObject, names: readonly string[] | undefined): Buffer[] {
  const isAuthority = names === undefined
  return [
    extension('2.5.29.19', true, isAuthority ? sequence(boolean(true), integer(Buffer.from([0]))) : sequence()),
    // keyCertSign and cRLSign, or digitalSignature.
    extension('2.5.29.15', true, isAuthority ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0x80]), 7)),
    extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
    extension('2.5.29.35', false, sequence(tagged(0x80, keyIdentifier(issuerKey)))),
    ...(isAuthority
      ? []
      : [
          extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'))),
          extension('2.5.29.17', false, sequence(...names.map(alternativeName))),
        ]),
  ]
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? tagged(0x82, Buffer.from(name, 'ascii')) : tagged(0x87, addressBytes(name))
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string | undefined) => (text ? text.split(':') : [])
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => '0')
  const all = tail === undefined ? groups(head) : [...groups(head), ...zeros, ...groups(tail)]
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** RFC 5280, 4.2.1.2, method 1: the SHA-1 of the key's bits. It names a key and protects nothing. */
function keyIdentifier(key: KeyObject): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' })
  // The bits of a P-256 point are the last 65 bytes.
  return createHash('sha1').update(spki.subarray(-65)).digest()
}

/** Positive, and unlike any other. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes
}

const nameOf = (commonName: string) =>
  sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(commonName, 'utf8')))))

const extension = (id: string, critical: boolean, value: Buffer) =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value))

/** UTCTime until 2049, GeneralizedTime from then on, to the second. */
function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return digits < '2050' ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits))
}

// DER (ITU-T X.690): a tag, a length, the content.

function tagged(tag: number, content: Buffer): Buffer {
  const length = content.length
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const hex = length.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length]), bytes, content])
}

const sequence = (...parts: Buffer[]) => tagged(0x30, Buffer.concat(parts))
const explicit = (number: number, content: Buffer) => tagged(0xa0 | number, content)
const integer = (bytes: Buffer) => tagged(0x02, bytes)
const boolean = (value: boolean) => tagged(0x01, Buffer.from([value ? 0xff : 0]))
const octets = (bytes: Buffer) => tagged(0x04, bytes)
const bitString = (bytes: Buffer, unused = 0) => tagged(0x03, Buffer.concat([Buffer.from([unused]), bytes]))

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift(0x80 | (rest & 0x7f))
  return digits
}
