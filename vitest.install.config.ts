import { defineConfig } from 'vitest/config'

/** What users get: the tarball, the image and the Compose file. Apart from the core tests because installing takes minutes. */
export default defineConfig({
  test: {
    include: ['e2e/install/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
