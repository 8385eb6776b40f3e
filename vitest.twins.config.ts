import { defineConfig } from 'vitest/config'

/** Conversions of real models; apart from the other clients because their environments are the largest of all. */
export default defineConfig({
  test: {
    include: ['e2e/clients/onnx-twins*.test.ts'],
    globalSetup: ['src/testing/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
  },
})
