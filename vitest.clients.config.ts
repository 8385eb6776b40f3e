import { defineConfig } from 'vitest/config'

/** The stock Python clients; apart from the core tests because their environment takes minutes to install. */
export default defineConfig({
  test: {
    include: ['e2e/clients/*.test.ts'],
    exclude: ['e2e/clients/onnx-twins*.test.ts'],
    globalSetup: ['src/testing/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
