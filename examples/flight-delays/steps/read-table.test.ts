import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from './boosted-trees.ts'
import { readTable, sampleRows, scaleFeature } from './read-table.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-table-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function tableOf(text: string, textColumns?: string[]) {
  const path = join(folder, 'table.csv')
  await writeFile(path, text)
  return readTable(path, textColumns)
}

describe('reading a training set', () => {
  test('takes the columns before the label as features, empty fields as missing, and the asked texts', async () => {
    const table = await tableOf(
      'rate,distance,label,event_timestamp,origin\r\n0.5,-12,1,2001-01-01,"A,B"\r\n,1e3,0,2001-01-02,ORD',
      ['origin'],
    )
    expect(table.featureNames).toEqual(['rate', 'distance'])
    expect(table.values).toEqual(Float32Array.of(0.5, -12, Number.NaN, 1000))
    expect(table.labels).toEqual(Uint8Array.of(1, 0))
    expect(table.text).toEqual({ origin: ['A,B', 'ORD'] })
  })

  test('reads numbers of any length as exactly as Number does, over chunk borders and in a growing table', async () => {
    const random = seededRandom(1)
    const numbers = Array.from({ length: 70_000 }, (_, index) =>
      index % 2 === 0 ? random() * 1000 - 500 : Number(random().toFixed(3)),
    )
    const table = await tableOf(`value,label\n${numbers.map((number) => `${number},1`).join('\n')}\n`)
    expect(table.rows).toBe(numbers.length)
    expect(table.values).toEqual(Float32Array.from(numbers))
  })

  test.each([
    ['a,label\n1,0\nabc,1\n', 'Line 3 of the table has "abc" as a, which is not a number.'],
    ['a,label\n1,2\n', 'Line 2 of the table has "2" as its label instead of 0 or 1.'],
    ['a,b,label\n1,0\n', 'Line 2 of the table has 2 fields instead of 3.'],
    ['a,b\n1,0\n', 'a column named "label"'],
    ['', 'is empty'],
  ])('refuses %j', async (text, message) => {
    await expect(tableOf(text)).rejects.toThrow(message)
  })
})

test('a sample has exactly the rows asked for, whole, in order and the same for the same seed', async () => {
  const lines = Array.from({ length: 1000 }, (_, row) => `${row},${row * 2},${row % 2}`)
  const table = await tableOf(`a,b,label\n${lines.join('\n')}\n`)
  const sample = sampleRows(table, 100, 7)
  expect(sample.rows).toBe(100)
  const first = [...sample.values].filter((_, cell) => cell % 2 === 0)
  expect(first).toEqual([...new Set(first)].sort((a, b) => a - b))
  for (const [row, value] of first.entries()) {
    expect(sample.values[row * 2 + 1]).toBe(value * 2)
    expect(sample.labels[row]).toBe(value % 2)
  }
  expect(sampleRows(table, 100, 7)).toEqual(sample)
  expect(sampleRows(table, 100, 8)).not.toEqual(sample)
})

test('scaling changes one feature only', async () => {
  const table = await tableOf('a,b,label\n1,2,0\n3,,1\n')
  scaleFeature(table, 'b', 10)
  expect(table.values).toEqual(Float32Array.of(1, 20, 3, Number.NaN))
})
