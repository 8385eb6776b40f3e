import { expect, it } from 'vitest'
import { cacheKey, explainChange } from './recipe.ts'

const recipe = {
  code: 'sha256:1',
  command: 'node train.ts',
  params: { unit: 'miles', trees: 80 },
  inputs: { training: 'sha256:2' },
  outputs: ['model'],
}

it('has the same key whatever the order of its parts', () => {
  const { code, ...rest } = recipe
  expect(cacheKey({ ...rest, params: { trees: 80, unit: 'miles' }, code })).toBe(cacheKey(recipe))
  expect(cacheKey({ ...recipe, params: { unit: 'miles', trees: 81 } })).not.toBe(cacheKey(recipe))
})

it('says what changed, and nothing when nothing did', () => {
  expect(explainChange(recipe, structuredClone(recipe))).toBe('')
  expect(explainChange(recipe, { ...recipe, code: 'sha256:3' })).toBe('code changed')
  expect(explainChange(recipe, { ...recipe, params: { unit: 'km', depth: 3 } })).toBe(
    'param depth is new, param trees is gone, param unit changed',
  )
  expect(explainChange(recipe, { ...recipe, command: 'node other.ts', inputs: { training: 'sha256:4' } })).toBe(
    'command changed, input training changed',
  )
})
