import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { appendCheckpoint, lastCheckpoint, readCheckpoints } from './checkpoints-file.ts'
import { leafHash } from './merkle.ts'
import { createSigningKey } from './signing-key.ts'

const key = createSigningKey()
const headOf = (size: number) => ({ epoch: 0, size, root: leafHash(`root ${size}`) })
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'checkpoints-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('checkpoints file', () => {
  test('keeps every checkpoint in order, with the line it starts on', async () => {
    const path = join(directory, 'deep', 'ordered.log')
    expect(await lastCheckpoint(path, key.verifier)).toBeUndefined()
    for (let size = 1; size <= 200; size += 1) await appendCheckpoint(path, headOf(size), key)

    const { notes, rest } = await readCheckpoints(path)
    expect(rest).toBe('')
    expect(notes.map(({ note }) => openCheckpoint(note, key.verifier).size)).toEqual(
      Array.from({ length: 200 }, (_, index) => index + 1),
    )
    const lines = (await readFile(path, 'utf8')).split('\n')
    for (const { line } of notes) expect(lines[line - 1]).toBe(key.verifier.name)
    expect(await lastCheckpoint(path, key.verifier)).toMatchObject({ size: 200 })
  })

  test('forgets a record that a crash tore, wherever it tore', async () => {
    const path = join(directory, 'torn.log')
    const torn = `${signCheckpoint(headOf(3), key)}\n`
    for (let length = 0; length < torn.length; length += 1) {
      await writeFile(path, `${signCheckpoint(headOf(1), key)}\n${torn.slice(0, length)}`)
      expect(await lastCheckpoint(path, key.verifier)).toEqual({ origin: key.verifier.name, ...headOf(1) })
    }
    await appendFile(path, Buffer.alloc(2000))
    await appendCheckpoint(path, headOf(2), key)
    const { notes, rest } = await readCheckpoints(path)
    expect(notes.map(({ note }) => openCheckpoint(note, key.verifier).size)).toEqual([1, 2])
    expect(rest).toBe('')
  })

  test('is not overwritten when its end is something else', async () => {
    const path = join(directory, 'garbage.log')
    await appendCheckpoint(path, headOf(1), key)
    await appendFile(path, 'x'.repeat(10_000))
    const before = await readFile(path, 'utf8')
    await expect(appendCheckpoint(path, headOf(2), key)).rejects.toMatchObject({ code: 'checkpoint_invalid' })
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  test('is refused when another key signed its end', async () => {
    const path = join(directory, 'other-key.log')
    await appendCheckpoint(path, headOf(1), key)
    await expect(lastCheckpoint(path, createSigningKey().verifier)).rejects.toMatchObject({
      code: 'checkpoint_invalid',
    })
  })
})
