import { defineConfig } from 'vitest/config'

/** The console in a real browser; apart from the core tests because its data comes from a whole run of the demo. */
export default defineConfig({
  test: {
    include: ['e2e/console/*.test.ts'],
    globalSetup: ['e2e/console/support/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
