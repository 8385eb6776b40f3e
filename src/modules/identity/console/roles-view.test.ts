import { expect, test } from 'vitest'
import { scopeOf, scopeText, verbsText } from './roles-view.ts'

test.each([
  [['*'], 'everything'],
  [['*:read'], 'read everything'],
  [['*:read', 'dataset:*', 'policy:*', 'run:*'], 'read everything; make and change datasets, policies, and runs'],
  [['*:read', 'approval:decide'], 'read everything; decide approvals'],
  [['node:serve', 'object:read'], 'serve nodes; read objects'],
])('the verbs %j are: %s', (verbs, text) => {
  expect(verbsText(verbs)).toBe(text)
})

test('an endpoint is named with its environment', () => {
  expect(scopeOf('endpoint', ' prod/flights ')).toEqual({ environment: 'prod', endpoint: 'flights' })
  expect(scopeOf('everywhere', 'left over')).toEqual({})
  expect(scopeText(scopeOf('model', 'trees'))).toBe('model trees')
  expect(scopeText({})).toBe('everywhere')
})
