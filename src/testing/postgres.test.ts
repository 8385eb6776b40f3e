import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from './postgres.ts'

let builds = 0
const template = {
  name: 'numbers of postgres.test.ts',
  async build(url: string) {
    builds++
    await query(url, 'create table numbers as select generate_series(1, 3) as n')
  },
}
const databases = await Promise.all([1, 2, 3].map(() => createTestDatabase({ template })))
afterAll(() => Promise.all(databases.map((database) => database.drop())))

test('builds a template once and gives each caller a copy', async () => {
  expect(builds).toBe(1)
  const [one, two] = databases
  await query(one?.url, 'delete from numbers')
  expect(await query(two?.url, 'select count(*)::int as n from numbers')).toEqual([{ n: 3 }])
})

test('drops a database although a session is open in it', async () => {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.url })
  client.on('error', () => {})
  await client.connect()
  await database.drop()
  await expect(query(database.url, 'select 1')).rejects.toThrow('does not exist')
  await expect(client.query('select 1')).rejects.toThrow()
})

test('a template that fails to build is built again', async () => {
  const failing = { name: 'failing once', build: () => Promise.reject(new Error('no luck')) }
  await expect(createTestDatabase({ template: failing })).rejects.toThrow('no luck')
  const database = await createTestDatabase({ template: { ...failing, build: template.build } })
  expect(await query(database.url, 'select n from numbers')).toHaveLength(3)
  await database.drop()
})

async function query(url: string | undefined, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
