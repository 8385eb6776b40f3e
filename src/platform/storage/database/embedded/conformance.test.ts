import { afterAll } from 'vitest'
import { createTestDatabase } from '#testing/postgres.ts'
import { databaseConformance } from '../conformance.ts'

const drops: Array<() => Promise<void>> = []

databaseConformance(async () => {
  const database = await createTestDatabase()
  drops.push(() => database.drop())
  return { databaseUrl: database.url }
})

afterAll(async () => {
  for (const drop of drops) await drop()
})
