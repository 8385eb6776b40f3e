import { createHash, randomBytes } from 'node:crypto'

/** Where ids and secrets come from, so that tests can pass their own. */
export interface Ids {
  /** A uuid of version 7 (RFC 9562): 48 bits of milliseconds, then random bits, so that ids sort by time. */
  next(): string
  /** `length` random bytes in base64url, for secrets. */
  secret(length?: number): string
}

export function createIds(now: () => number, random: (size: number) => Buffer = randomBytes): Ids {
  return {
    next() {
      const bytes = random(16)
      bytes.writeUIntBE(now(), 0, 6)
      bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6)
      bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
      const hex = bytes.toString('hex')
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    },
    secret: (length = 32) => random(length).toString('base64url'),
  }
}

/** `sha256:` and the hex digest of the bytes: how content is named everywhere. */
export function digestOf(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
