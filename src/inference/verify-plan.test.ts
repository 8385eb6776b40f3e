import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import type { SignedServingPlan } from '#modules/releases/contract.ts'
import { keyId, readTrustedKeys, verifyPlan } from './verify-plan.ts'

const plan = {
  format: 1,
  generation: 7,
  issuedAt: '2001-01-01T00:00:00Z',
  environment: 'prod',
  keys: [],
  endpoints: [],
  versions: [],
}

const first = generateKeyPairSync('ed25519').privateKey
const second = generateKeyPairSync('ed25519').privateKey
const pem = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

function signed(content: unknown, key = first): SignedServingPlan {
  const payload = JSON.stringify(content)
  const signature = sign(null, Buffer.from(payload), key).toString('base64')
  return { payload, signature, keyId: keyId(createPublicKey(key)) }
}

const trusted = readTrustedKeys(pem(first))
const refused = { code: 'plan_refused' }

test('a plan that a trusted key signed is read', () => {
  expect(verifyPlan(signed(plan), trusted, { environment: 'prod' })).toEqual(plan)
})

test('several keys may be trusted, so that the signer can change its key', () => {
  const both = readTrustedKeys(pem(first) + pem(second))
  expect(verifyPlan(signed(plan, first), both, { environment: 'prod' }).generation).toBe(7)
  expect(verifyPlan(signed(plan, second), both, { environment: 'prod' }).generation).toBe(7)
})

test.each([
  ['another key', signed(plan, second)],
  ['an altered payload', { ...signed(plan), payload: JSON.stringify({ ...plan, generation: 8 }) }],
  ["another key under a trusted key's name", { ...signed(plan, second), keyId: signed(plan).keyId }],
  ['no signature', { ...signed(plan), signature: '' }],
  ['another environment', signed({ ...plan, environment: 'staging' })],
  ['another format', signed({ ...plan, format: 2 })],
  ['a payload that is no plan', signed('plan')],
  ['no document at all', 'plan'],
])('%s is refused', (_what, document) => {
  expect(() => verifyPlan(document, trusted, { environment: 'prod' })).toThrow(expect.objectContaining(refused))
})

test('a plan of another workspace is refused, be it empty or not', () => {
  const [mine, theirs] = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002']
  const key = { id: 'k', workspace: theirs, hash: '', endpoints: ['*'], expiresAt: null }
  const read = (content: object) => verifyPlan(signed(content), trusted, { environment: 'prod', workspace: mine })
  expect(read({ ...plan, workspace: mine, keys: [{ ...key, workspace: mine }] }).workspace).toBe(mine)
  expect(read(plan).workspace).toBeUndefined()
  expect(() => read({ ...plan, workspace: theirs })).toThrow(expect.objectContaining(refused))
  expect(() => read({ ...plan, workspace: mine, keys: [key] })).toThrow(expect.objectContaining(refused))
  expect(() => read({ ...plan, keys: [key] })).toThrow(expect.objectContaining(refused))
})

test('trusted keys are Ed25519 public keys, at least one', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const foreign = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  expect(() => readTrustedKeys(foreign)).toThrow(expect.objectContaining(refused))
  expect(() => readTrustedKeys('')).toThrow(expect.objectContaining(refused))
})
