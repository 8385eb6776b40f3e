import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createWorkspace, listTokens } from '#modules/identity/contract.ts'
import { listWorkspaces } from '#modules/identity/queries.ts'
import { allows, systemActor } from '#platform/actor.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { ensureClientFile, ensureNodeToken, ensureWorkspace, readClientFile } from './bootstrap.ts'

// The test platform founds a workspace and nobody in it: what a crash between the two would leave.
const suite = await createTestPlatform()
afterAll(() => suite.drop())
const { platform, workspace, dataDir } = suite
const urls = { url: 'http://127.0.0.1:1', inferenceUrl: 'http://127.0.0.1:2' }

test('a start that was killed before the administrator was made is finished by the next', async () => {
  expect(await ensureWorkspace(platform)).toBe(workspace)
  expect(await ensureWorkspace(platform)).toBe(workspace)
  const { token } = await ensureClientFile(platform, workspace, dataDir, urls)
  expect(allows((await platform.authenticate(token))?.grants ?? [], 'role:bind', {})).toBe(true)
})

test('a token of an earlier start is kept while it is good; half a file counts as none', async () => {
  const first = await ensureClientFile(platform, workspace, dataDir, urls)
  expect(await ensureClientFile(platform, workspace, dataDir, urls)).toEqual(first)
  await writeFile(join(dataDir, 'client.json'), '{"url": "http:')
  expect(await readClientFile(dataDir)).toBeUndefined()
  const second = await ensureClientFile(platform, workspace, dataDir, urls)
  expect(second.token).not.toBe(first.token)
  expect(await readClientFile(dataDir)).toEqual(second)
})

test('a node keeps its token over a restart; when it must have another, the earlier ones are good no more', async () => {
  const token = () => ensureNodeToken(platform, workspace, dataDir, 'local-prod')
  const first = await token()
  expect(await token()).toBe(first)
  await rm(join(dataDir, 'keys', 'local-prod.token'))
  const second = await token()
  expect(await platform.authenticate(first)).toBeUndefined()
  const actor = await platform.authenticate(second)
  expect(actor).toMatchObject({ kind: 'node', name: 'local-prod' })
  expect(allows(actor?.grants ?? [], 'node:serve', { environment: 'prod' })).toBe(true)
  const { items } = await suite.run(listTokens, { limit: 200 })
  expect(items.filter((one) => one.principal === 'local-prod' && one.revokedAt === null)).toHaveLength(1)
})

test('the first workspace is the one that commands of this machine speak to', async () => {
  const other = systemActor(platform.ids.next())
  await platform.run(createWorkspace, { actor: other, input: { name: 'second' } })
  expect(await listWorkspaces(platform)).toHaveLength(2)
  expect(await ensureWorkspace(platform)).toBe(workspace)
})
