import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PaveError } from '../errors.ts'
import { openAnalytics } from './duckdb.ts'
import { sqlIdentifier, sqlString } from './sql-text.ts'

it('quotes whatever text and names there are', async () => {
  const tempDir = await mkdtemp(join(tmpdir(), 'pave-sql-'))
  const limits = { memoryLimitMb: 100, threads: 1, timeoutMs: 20_000, maxChildren: 1 }
  const analytics = await openAnalytics({ tempDir, directories: [], ...limits })
  const text = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))
  const awkward = fc.constantFrom("'", '"', "''; DROP TABLE x; --", '\\', '$$', '\n', '?', '$1')
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(text, awkward), { minLength: 1 }), async (texts) => {
        const columns = texts.map((text, i) => `${sqlString(text)} AS ${sqlIdentifier(`${i} ${text}`)}`)
        const { rows } = await analytics.query(`SELECT ${columns.join(', ')}`)
        expect(rows).toEqual([Object.fromEntries(texts.map((text, i) => [`${i} ${text}`, text]))])
      }),
      { numRuns: 20 },
    )
  } finally {
    await analytics.close()
    await rm(tempDir, { recursive: true })
  }
})

it('refuses what SQL text cannot hold', () => {
  expect(() => sqlString('a\0b')).toThrow(PaveError)
  expect(() => sqlIdentifier('a\0b')).toThrow(TypeError)
  expect(() => sqlIdentifier('')).toThrow(TypeError)
})
