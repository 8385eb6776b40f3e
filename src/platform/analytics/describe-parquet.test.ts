import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeParquet } from './describe-parquet.ts'
import { type Analytics, openAnalytics } from './duckdb.ts'
import { sqlString } from './sql-text.ts'

let root: string
let whole: string
let analytics: Analytics

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "pave-parquet-it's-"))
  whole = join(root, 'whole.parquet')
  const limits = { memoryLimitMb: 100, threads: 1, timeoutMs: 20_000, maxChildren: 1 }
  analytics = await openAnalytics({ tempDir: join(root, 'temp'), directories: [root], ...limits })
  const rows = 'SELECT range AS id, now() AS at, [1.5] AS scores, \'x\' AS "odd name" FROM range(3000)'
  await analytics.run(`COPY (${rows}) TO ${sqlString(whole)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`)
})

afterAll(async () => {
  await analytics.close()
  await rm(root, { recursive: true })
})

it('tells columns, types and the number of rows of all row groups', async () => {
  expect(await describeParquet(analytics, whole)).toEqual({
    columns: [
      { name: 'id', type: 'BIGINT' },
      { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
      { name: 'scores', type: 'DECIMAL(2,1)[]' },
      { name: 'odd name', type: 'VARCHAR' },
    ],
    rowCount: 3000,
  })
})

it('refuses what is not a whole Parquet file', async () => {
  const bytes = await readFile(whole)
  const footerDamaged = Buffer.from(bytes).fill(0xff, bytes.length - 200, bytes.length - 20)
  const contents = {
    empty: '',
    text: 'id,at\n1,2001-01-01\n'.repeat(50),
    cut: bytes.subarray(0, bytes.length - 9),
    beginning: bytes.subarray(0, 4),
    footerDamaged,
  }
  for (const [name, content] of Object.entries(contents)) {
    const path = join(root, `${name}.parquet`)
    await writeFile(path, content)
    await expect(describeParquet(analytics, path), name).rejects.toMatchObject({
      code: 'parquet_invalid',
      message: expect.stringContaining(path),
    })
  }
})

it('does not take a failure of its own for one of the file', async () => {
  await expect(describeParquet(analytics, whole, { signal: AbortSignal.abort(new Error('left')) })).rejects.toThrow(
    'left',
  )
})
