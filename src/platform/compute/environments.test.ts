import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEnvironments } from './environments.ts'

const day = 24 * 3_600_000
const start = Date.parse('2026-01-01T00:00:00Z')

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'environments-'))
})
afterEach(() => rm(root, { recursive: true }))

it('removes what nobody used for a month, and what was left by attempts that are gone', async () => {
  const environments = await openEnvironments(root)
  const made = async (key: string, attempt: string) => {
    const directory = await environments.begin('w', key, attempt, undefined)
    await environments.keep(directory, undefined)
    await environments.find('w', key, start)
    return directory
  }
  const used = await made('used', 'a')
  await made('unused', 'b')
  await environments.begin('w', 'used', 'gone', undefined)
  const going = await environments.begin('w', 'used', 'going', undefined)
  expect(await environments.find('w', 'used', start + 20 * day)).toBe(used)
  await environments.prune(start + 31 * day, async (attempt) => attempt === 'going')
  expect(await environments.find('w', 'unused', start)).toBeUndefined()
  expect(await environments.find('w', 'used', start)).toBe(used)
  expect((await readdir(join(used, '..'))).sort()).toEqual(['.made', 'a', 'going'])
  expect(await readdir(going)).toEqual([])
})

it('offers nothing of another data directory, where its paths would be wrong', async () => {
  const environments = await openEnvironments(root)
  await environments.keep(await environments.begin('w', 'key', 'a', undefined), undefined)
  const moved = join(root, 'moved')
  await mkdir(moved)
  expect(await (await openEnvironments(moved)).find('w', 'key', start)).toBeUndefined()
})
