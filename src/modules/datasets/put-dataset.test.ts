import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { identity } from '../identity/module.ts'
import { type DatasetSpec, getDataset, putDataset } from './contract.ts'
import { datasets } from './module.ts'
import { storeParquet } from './store-parquet.fixture.ts'

type Given = Omit<z.input<typeof DatasetSpec>, 'source'>

describe('putting a dataset', () => {
  let test: TestPlatform
  let source: { digest: string; size: number }

  const spec: Given = {
    timeColumn: 'at',
    columns: { at: { type: 'timestamp' }, amount: { type: 'double', nullable: true }, shop: { type: 'string' } },
    rules: [{ name: 'positive', check: 'amount == null || amount > 0.0' }],
    derived: { large: { type: 'bool', expression: 'amount != null && amount > 100.0' } },
  }
  const put = (given: Given, dataset = 'sales') => test.run(putDataset, { dataset, spec: { ...given, source } })

  beforeAll(async () => {
    test = await createTestPlatform({ modules: [identity, datasets] })
    source = await storeParquet(test, `SELECT TIMESTAMP '2001-01-01' AS at, 1.5 AS amount, 'a' AS shop, 7 AS extra`)
  }, 60_000)
  afterAll(() => test.drop())

  it('keeps the contract; the same one again changes nothing', async () => {
    const first = await put(spec)
    expect(first).toMatchObject({ dataset: 'sales', latestVersion: null, spec: { timeColumn: 'at' } })
    expect(await put(spec)).toEqual(first)
    const { columns, ...rest } = spec
    const reordered = Object.fromEntries(Object.entries(columns).reverse())
    expect(await put({ ...rest, columns: reordered, description: 'Sales' })).toMatchObject({
      contractDigest: first.contractDigest,
      spec: { description: 'Sales' },
    })
    expect(await test.run(getDataset, { dataset: 'sales' })).toMatchObject({ spec: { description: 'Sales' } })
  })

  it.each<[string, Partial<Given>, Record<string, unknown>]>([
    [
      'a column that the file lacks',
      { columns: { ...spec.columns, colour: { type: 'string' } } },
      { code: 'column_missing', message: expect.stringContaining('colour'), details: { missing: ['colour'] } },
    ],
    [
      'a column of another type',
      { columns: { ...spec.columns, shop: { type: 'int' } } },
      { code: 'column_type_mismatch', message: expect.stringMatching(/shop is declared as int.*VARCHAR/) },
    ],
    [
      'a rule that does not type-check',
      { rules: [{ name: 'positive', check: 'amount == null ||\n  amount > "0"' }] },
      {
        code: 'expression_invalid',
        message: expect.stringMatching(/^The rule positive: Line 2/),
        details: expect.objectContaining({ position: expect.objectContaining({ line: 2 }) }),
      },
    ],
    [
      'a derived column that does not type-check',
      { derived: { large: { type: 'bool', expression: 'price > 1.0' } } },
      { code: 'expression_invalid', message: expect.stringContaining('The derived column large') },
    ],
    ['a time column that is no time', { timeColumn: 'shop' }, { code: 'contract_invalid' }],
    [
      'a derived column that hides another',
      { derived: { shop: { type: 'bool', expression: 'true' } } },
      { code: 'contract_invalid' },
    ],
    ['unique columns that do not exist', { unique: { columns: ['id'] } }, { code: 'contract_invalid' }],
    [
      'a column with a reserved name',
      { derived: { broken_rule: { type: 'bool', expression: 'true' } } },
      { code: 'contract_invalid' },
    ],
  ])('refuses %s', async (_, change, error) => {
    await expect(put({ ...spec, ...change }, 'refused')).rejects.toMatchObject(error)
    await expect(test.run(getDataset, { dataset: 'refused' })).rejects.toMatchObject({ code: 'dataset_not_found' })
  })

  it('refuses a source that is not Parquet, and one that was never uploaded', async () => {
    const text = await storeParquet(test, 'SELECT 1', 'not Parquet at all')
    await expect(
      test.run(putDataset, { dataset: 'text', spec: { ...spec, source: { ...text, name: 'sales.csv' } } }),
    ).rejects.toMatchObject({ code: 'parquet_invalid', message: expect.stringMatching(/dataset text.*sales\.csv/) })
    const unknown = { digest: `sha256:${'0'.repeat(64)}`, size: 1 }
    await expect(test.run(putDataset, { dataset: 'none', spec: { ...spec, source: unknown } })).rejects.toMatchObject({
      code: 'source_not_found',
    })
  })

  it('shows another workspace neither the dataset nor the bytes', async () => {
    await put(spec)
    const as = systemActor(test.platform.ids.next())
    await expect(test.run(getDataset, { dataset: 'sales' }, { as })).rejects.toMatchObject({
      code: 'dataset_not_found',
    })
    await expect(test.run(putDataset, { dataset: 'sales', spec: { ...spec, source } }, { as })).rejects.toMatchObject({
      code: 'source_not_found',
    })
  })
})
