import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { operations } from '#modules/contracts.ts'
import { errorTables } from '../bin/reference/errors.ts'
import { referencePages } from '../bin/reference/pages.ts'

const root = join(import.meta.dirname, '..')
const pages = await referencePages()
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => [file, readFileSync(join(root, 'src', file), 'utf8')] as const)

describe('docs/reference', () => {
  it.each([...pages])('%s says what the code says (node bin/write-reference.ts)', (name, text) => {
    expect(readFileSync(join(root, 'docs/reference', name), 'utf8')).toBe(text)
  })

  it('has no schema of a kind that is gone', () => {
    const schemas = readdirSync(join(root, 'docs/reference/schemas')).map((file) => `schemas/${file}`)
    expect(schemas.filter((name) => !pages.has(name))).toEqual([])
  })

  it('has the pages that messages and comments point to', () => {
    const named = sources.flatMap(([, text]) => [...text.matchAll(/\bdocs\/[\w/-]+\.md/g)]).map(([page]) => page)
    expect(named.length).toBeGreaterThan(0)
    expect([...new Set(named)].filter((page) => !existsSync(join(root, page)))).toEqual([])
  })
})

describe('error codes', () => {
  const codes = errorTables.flatMap(({ errors }) => Object.keys(errors))

  it('stand in tables that are all documented', () => {
    const declaring = sources.filter(
      ([file, text]) => !/\.(test|fixture)\.ts$/.test(file) && /= defineErrors\(/.test(text),
    )
    expect(declaring).toHaveLength(errorTables.length)
  })

  it('each stand in one table', () => {
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
    expect(codes.filter((code) => !/^[a-z][a-z0-9_]*$/.test(code))).toEqual([])
  })

  it('that operations declare are documented', () => {
    const unknown = operations.flatMap(({ operation }) =>
      operation.errors.filter((code) => !codes.includes(code)).map((code) => `${operation.name}: ${code}`),
    )
    expect(unknown).toEqual([])
  })
})
