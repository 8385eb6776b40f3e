import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeFileOnce } from './copy-artifacts.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pave-artifacts-'))
})
afterAll(() => rm(folder, { recursive: true }))

const streamOf = (text: string) => async () => new Blob([text]).stream()
const contentOf = (text: string) => ({
  size: Buffer.byteLength(text),
  digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
})

it('writes a file whole, and once', async () => {
  const path = join(folder, 'whole/a.txt')
  const long = 'äbc'.repeat(200_000)
  expect(await writeFileOnce(path, contentOf(long), streamOf(long))).toBe(true)
  expect(await readFile(path, 'utf8')).toBe(long)
  expect(await writeFileOnce(path, contentOf(long), streamOf('never read'))).toBe(false)
})

it.each([
  ['is shorter', contentOf('abc'), streamOf('ab')],
  ['is another', contentOf('abc'), streamOf('abd')],
  ['has no digest and is longer', { size: 2, digest: null }, streamOf('abc')],
  [
    'breaks off',
    contentOf('abc'),
    async () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(new Error('gone')),
      }),
  ],
])('leaves nothing of a file that %s', async (_, content, bytes) => {
  const broken = join(folder, 'broken')
  await expect(writeFileOnce(join(broken, 'a.txt'), content, bytes)).rejects.toThrow()
  expect(await readdir(broken)).toEqual([])
})
