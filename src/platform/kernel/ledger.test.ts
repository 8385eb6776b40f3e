import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { createTestPlatform } from '#testing/platform.ts'
import { systemActor } from '../actor.ts'
import { openCheckpoint } from '../ledger/checkpoint.ts'
import { leafHash, verifyConsistency, verifyInclusion } from '../ledger/merkle.ts'
import { createSigningKey, parseVerifierKey } from '../ledger/signing-key.ts'
import { verifyProofFile } from '../ledger/verify-proof.ts'
import { probe, putNote, writeNote } from '../probe.fixture.ts'
import { type EntryProof, getEntry, listEntries, proveEntry } from './contract.ts'

const suite = await createTestPlatform({ extra: [probe] })
afterAll(() => suite.drop())
const { run, platform } = suite
const ada = await suite.as('ada', 'admin')
const grace = await suite.as('grace', 'admin')

let count = 0
const bytes = (hash: string) => Buffer.from(hash, 'base64')

/** One entry of Ada's that is sealed. */
async function sealedEntry() {
  count += 1
  await run(putNote, { shelf: 's', note: `n${count}`, spec: { text: `note ${count}` } }, { as: ada })
  await suite.controlPlane.flushLedger()
  const { items } = await run(listEntries, { operation: 'put-note', limit: 1 })
  const [entry] = items
  if (entry === undefined) throw new Error('there is no entry')
  return entry
}

test('an entry is proved up to a signed checkpoint, and each checkpoint continues the one before', async () => {
  const first = await run(proveEntry, { entry: (await sealedEntry()).id })
  const entry = await sealedEntry()
  const proof = await run(proveEntry, { entry: entry.id, since: first.size })
  const key = parseVerifierKey(proof.key)
  const [before, now] = [first, proof].map(({ checkpoint }) => openCheckpoint(checkpoint, key))
  if (before === undefined || now === undefined) throw new Error('no checkpoint')
  expect(proof).toMatchObject({ leaf: entry.leaf, size: now.size })
  expect(JSON.parse(proof.body)).toMatchObject({ id: entry.id, operation: 'put-note', actor: { id: ada.id } })
  expect(verifyInclusion(leafHash(proof.body), proof.leaf, proof.size, proof.path.map(bytes), now.root)).toBe(true)
  expect(proof.consistency?.from).toBe(first.size)
  expect(verifyConsistency(before, now, (proof.consistency?.path ?? []).map(bytes))).toBe(true)
  expect((await run(proveEntry, { entry: entry.id, since: now.size + 1000 })).consistency).toBeNull()
})

test('a saved proof is verified without Pave, and no altered one is', async () => {
  const proof = await run(proveEntry, { entry: (await sealedEntry()).id })
  const directory = await mkdtemp(join(tmpdir(), 'pave-proof-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'proof.json')
  const verified = async (altered: Partial<EntryProof>, key = parseVerifierKey(proof.key)) => {
    await writeFile(file, JSON.stringify({ ...proof, ...altered }))
    return verifyProofFile(file, key)
  }
  expect(await verified({})).toMatchObject({ leaf: proof.leaf, size: proof.size, body: proof.body })
  for (const altered of [
    { body: proof.body.replace('put-note', 'put-nose') },
    { leaf: proof.leaf - 1 },
    { size: proof.size + 1 },
    { path: proof.path.slice(1) },
    { path: [] },
  ]) {
    await expect(verified(altered), JSON.stringify(altered)).rejects.toMatchObject({ code: 'proof_invalid' })
  }
  const forged = { checkpoint: proof.checkpoint.replace(/\n\d+\n/, '\n7\n') }
  await expect(verified(forged)).rejects.toMatchObject({ code: 'checkpoint_invalid' })
  await expect(verified({}, createSigningKey().verifier)).rejects.toMatchObject({ code: 'checkpoint_invalid' })
})

test('an entry tells everything in it, to its own workspace', async () => {
  const { id } = await sealedEntry()
  const entry = await run(getEntry, { entry: id })
  expect(entry).toMatchObject({ id, actor: { kind: 'user', id: ada.id }, outcome: 'done' })
  expect(entry.inputDigest).toMatch(/^sha256:/)
  const stranger = systemActor(platform.ids.next())
  for (const operation of [getEntry, proveEntry]) {
    await expect(run(operation, { entry: id }, { as: stranger })).rejects.toMatchObject({ code: 'entry_not_found' })
  }
})

test('entries are found by actor, outcome and time', async () => {
  const before = await sealedEntry()
  await run(writeNote, { shelf: 's', text: 'x', ending: 'refused' }, { as: grace }).catch(() => {})
  const after = await sealedEntry()
  const graces = await run(listEntries, { actor: grace.id })
  expect(graces.items).toMatchObject([{ operation: 'write-note', outcome: 'refused' }])
  expect((await run(listEntries, { outcome: 'refused' })).items.map(({ id }) => id)).toEqual([graces.items[0]?.id])
  const between = await run(listEntries, { from: before.at, until: after.at, operation: 'put-note' })
  expect(between.items.map(({ id }) => id)).toContain(before.id)
  expect(between.items.map(({ id }) => id)).not.toContain(after.id)
})
