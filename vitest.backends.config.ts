import { defineConfig } from 'vitest/config'

/** Against the servers of others: object stores, Redis, a PostgreSQL and a pooler of the machine. */
export default defineConfig({
  test: {
    include: ['e2e/backends/*.test.ts'],
    globalSetup: ['src/testing/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
