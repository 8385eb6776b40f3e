import { expect, test } from 'vitest'
import { loadConfig } from './config.ts'
import { PaveError } from './errors.ts'

const problemOf = (environment: Record<string, string>): PaveError => {
  try {
    loadConfig(environment)
  } catch (error) {
    if (error instanceof PaveError) return error
  }
  throw new Error('it was not refused')
}

test.each([
  ['PAVE_PORT', 'http'],
  ['PAVE_PORT', '70000'],
  ['PAVE_PORT', '-1'],
  ['PAVE_PORT', '1e3'],
  ['PAVE_INFERENCE_PORT', '7401.5'],
  ['PAVE_URL', 'localhost:7400'],
  ['PAVE_LOG_LEVEL', 'loud'],
  ['DATABASE_URL', 'mysql://somewhere'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector'],
])('%s=%s is refused by name', (name, value) => {
  const problem = problemOf({ [name]: value })
  expect(problem.code).toBe('invalid_configuration')
  expect(problem.message).toContain(name)
  expect(problem.hint).toContain('docs/reference/configuration.md')
})

test('tells every wrong setting at once, and no value: it may be a secret', () => {
  const problem = problemOf({ PAVE_PORT: 'x', DATABASE_URL: 'mysql://me:hunter2@db' })
  expect(problem.message).toMatch(/PAVE_PORT.*DATABASE_URL|DATABASE_URL.*PAVE_PORT/)
  expect(problem.message).not.toContain('hunter2')
})

test('has defaults, and takes an empty variable for one that is not set', () => {
  const names = ['PAVE_DATA_DIR', 'PAVE_PORT', 'PAVE_URL', 'DATABASE_URL', 'PAVE_LOG_LEVEL', 'PAVE_TOKEN']
  const empty = Object.fromEntries(names.map((name) => [name, '']))
  expect(loadConfig(empty)).toEqual(loadConfig({}))
  expect(loadConfig({})).toMatchObject({ host: '127.0.0.1', port: 7400, inferencePort: 7401, databaseUrl: undefined })
})

test('reads lists and numbers, and a token as it was pasted', () => {
  const config = loadConfig({ PAVE_PORT: '0', PAVE_EGRESS_ALLOW: '10.0.0.0/8, intranet,', PAVE_TOKEN: 'pave_x\n' })
  expect(config).toMatchObject({ port: 0, egressAllow: ['10.0.0.0/8', 'intranet'], token: 'pave_x' })
})
