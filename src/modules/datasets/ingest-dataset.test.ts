import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordObject } from '#platform/kernel/contract.ts'
import { createTestPlatform, type TestPlatform } from '#testing/data-temp-platform.ts'
import { identity } from '../identity/module.ts'
import { getDatasetVersion, ingestDataset, listQuarantine, putDataset } from './contract.ts'
import { datasets } from './module.ts'

const flights = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))

const contract = {
  timeColumn: 'date',
  columns: {
    date: { type: 'timestamp' },
    delay: { type: 'int', unit: 'minutes' },
    distance: { type: 'int', unit: 'miles' },
    origin: { type: 'string' },
    destination: { type: 'string' },
  },
  rules: [{ name: 'possible-delay', check: 'delay >= -120' }],
  unique: {},
  derived: {
    known_at: { type: 'timestamp', expression: 'date + duration("30m") + hours(double(distance) / 450.0)' },
    late: { type: 'bool', expression: 'delay > 15' },
  },
} as const

describe('ingesting the flights of January and February', () => {
  let test: TestPlatform
  let source: { digest: string; size: number }
  const range = { dataset: 'flights', from: '2001-01-01T00:00:00Z', to: '2001-03-01T00:00:00Z' }

  beforeAll(async () => {
    test = await createTestPlatform({ modules: [identity, datasets] })
    source = await test.platform.services.objects.put(createReadStream(flights))
    await test.run(recordObject, source)
    await test.run(putDataset, { dataset: 'flights', spec: { ...structuredClone(contract), source } as never })
  }, 60_000)
  afterAll(() => test.drop())

  it('works', async () => {
    const t = performance.now()
    const { job } = await test.run(ingestDataset, range)
    console.log(await test.finished(job), performance.now() - t)
    console.log(await test.run(getDatasetVersion, { dataset: 'flights', version: 'latest' }))
    console.log((await test.run(listQuarantine, { dataset: 'flights', version: 'latest', limit: 3 })).items)
    const again = await test.run(ingestDataset, range)
    console.log(await test.finished(again.job))
  }, 60_000)
})
