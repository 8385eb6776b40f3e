import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { workspaceUid } from './workspace-uid.ts'

let table: string
beforeEach(async () => {
  table = await mkdtemp(join(tmpdir(), 'uids-'))
})
afterEach(() => rm(table, { recursive: true }))

it('gives every workspace a uid of its own, and always the same', async () => {
  const workspaces = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 40 }).filter((name) => !name.includes('\0')))
  await fc.assert(
    fc.asyncProperty(workspaces, async (names) => {
      const uids = await Promise.all(names.map((name) => workspaceUid(table, name)))
      expect(new Set(uids).size).toBe(names.length)
      expect(await Promise.all(names.map((name) => workspaceUid(table, name)))).toEqual(uids)
      for (const uid of uids) expect(uid).toBeGreaterThan(200_000)
    }),
    { numRuns: 30 },
  )
})

it('takes the next uid where another workspace has the one that the hash chose', async () => {
  const chosen = await workspaceUid(table, 'team')
  await rm(join(table, String(chosen)))
  await symlink('rival', join(table, String(chosen)))
  expect(await workspaceUid(table, 'team')).toBe(chosen + 1)
  expect((await readdir(table)).sort()).toEqual([String(chosen), String(chosen + 1)])
})
