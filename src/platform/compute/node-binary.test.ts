import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { nodeDirectory } from './node-binary.ts'

let scratch: string
let hidden: string
let binary: string
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'node-binary-'))
  await chmod(scratch, 0o711)
  hidden = join(scratch, 'home')
  binary = join(hidden, 'node')
  await mkdir(hidden)
  await writeFile(binary, 'program', { mode: 0o755 })
  await chmod(binary, 0o755)
})
afterEach(() => rm(scratch, { recursive: true }))

it('uses a binary that everybody can reach where it is', async () => {
  await chmod(hidden, 0o711)
  expect(await nodeDirectory(binary, 'v24.0.0', join(scratch, 'data'))).toBe(hidden)
})

it('copies one that others cannot reach, once', async () => {
  await chmod(hidden, 0o700)
  const directory = join(scratch, 'data/bin/node-v24.0.0')
  expect(await nodeDirectory(binary, 'v24.0.0', join(scratch, 'data'))).toBe(directory)
  expect(await readFile(join(directory, 'node'), 'utf8')).toBe('program')
  expect((await stat(join(directory, 'node'))).mode & 0o777).toBe(0o755)
  await writeFile(binary, 'another')
  await nodeDirectory(binary, 'v24.0.0', join(scratch, 'data'))
  expect(await readFile(join(directory, 'node'), 'utf8')).toBe('program')
  expect(await nodeDirectory(binary, 'v24.0.0', undefined)).toBe(hidden)
})
