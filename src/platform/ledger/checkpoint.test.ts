import { createPrivateKey } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openCheckpoint, openNote, signCheckpoint, signNote } from './checkpoint.ts'
import { leafHash } from './merkle.ts'
import { createSigningKey, parseVerifierKey, signingKey } from './signing-key.ts'

const reference = {
  vkey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  seed: 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature:
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
}
const referenceNote = `${reference.text}\n${reference.signature}`

/** The private key of the reference note, as PKCS #8: a fixed header before the 32 bytes of the seed. */
function referenceKey() {
  const header = Buffer.from('302e020100300506032b657004220420', 'hex')
  const der = Buffer.concat([header, Buffer.from(reference.seed, 'base64').subarray(1)])
  return signingKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }), 'PeterNeumann')
}

describe('signed note', () => {
  test('opens the note of the reference implementation', () => {
    expect(openNote(referenceNote, parseVerifierKey(reference.vkey))).toBe(reference.text)
  })

  test('signs it byte for byte as the reference implementation does', () => {
    expect(signNote(reference.text, referenceKey())).toBe(referenceNote)
  })

  test('ignores signatures of witnesses it does not know', () => {
    const witness = createSigningKey('witness.example')
    const [, line = ''] = signNote(reference.text, witness).split('\n\n')
    expect(openNote(`${reference.text}\n${line}${reference.signature}`, parseVerifierKey(reference.vkey))).toBe(
      reference.text,
    )
  })

  test('refuses a note that the key did not sign', () => {
    const other = createSigningKey('PeterNeumann')
    expect(() => openNote(referenceNote, other.verifier)).toThrow(/bears no signature of PeterNeumann/)
  })

  test('refuses a signature line that is none', () => {
    const key = parseVerifierKey(reference.vkey)
    expect(() => openNote(`${referenceNote}-- x y\n`, key)).toThrow(/malformed signature line/)
    expect(() => openNote(reference.text, key)).toThrow(/not a signed note/)
  })
})

describe('checkpoint', () => {
  const key = createSigningKey('pave.example')
  const root = leafHash('root')

  test('states origin, size and root', () => {
    const note = signCheckpoint({ epoch: 0, size: 812, root }, key)
    expect(note).toMatch(/^pave\.example\n812\n[A-Za-z0-9+/]{43}=\n\n— pave\.example [A-Za-z0-9+/=]+\n$/)
    expect(openCheckpoint(note, key.verifier)).toEqual({ origin: 'pave.example', epoch: 0, size: 812, root })
  })

  test('of a later epoch is of a ledger of its own, signed by the same key', () => {
    const note = signCheckpoint({ epoch: 1_760_000_000, size: 812, root }, key)
    expect(note).toMatch(/^pave\.example\/epoch-1760000000\n812\n[^\n]+\n\n— pave\.example [^ ]+\n$/)
    expect(openCheckpoint(note, key.verifier)).toMatchObject({ epoch: 1_760_000_000, size: 812 })
    for (const origin of ['pave.example/epoch-0', 'pave.example/epoch-01', 'other/epoch-1', 'pave.example/epoch-1/']) {
      const strange = signNote(`${origin}\n812\n${root.toString('base64')}\n`, key)
      expect(() => openCheckpoint(strange, key.verifier)).toThrow(/is of the ledger/)
    }
  })

  test('is refused when any byte of it changes', () => {
    const note = Buffer.from(signCheckpoint({ epoch: 0, size: 812, root }, key))
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const altered = Buffer.from(note)
        altered.writeUInt8(altered.readUInt8(at) ^ flip, at)
        expect(() => openCheckpoint(altered.toString(), key.verifier)).toThrow()
      }),
    )
  })

  test.each([
    ['a number with leading zeroes', `pave.example\n0812\n${root.toString('base64')}\n`],
    ['a short root', 'pave.example\n812\nAAAA\n'],
    ['no root', 'pave.example\n812\n'],
    ['another ledger', `other.example\n812\n${root.toString('base64')}\n`],
  ])('is refused when the signed text has %s', (_, text) => {
    expect(() => openCheckpoint(signNote(text, key), key.verifier)).toThrow(
      expect.objectContaining({ code: 'checkpoint_invalid' }),
    )
  })
})
