import { expect, it } from 'vitest'
import { FeatureServiceSpec } from '../contract.ts'
import { aggregationInWords, featuresOfService, featureText, typed } from './feature-view.ts'

it('says an aggregation in words', () => {
  expect(aggregationInWords({ name: 'a', function: 'mean', column: 'late', window: '3h', hop: '5m' })).toBe(
    'Mean of late over the last 3h, moving by 5m',
  )
  expect(aggregationInWords({ name: 'a', function: 'count', window: '24h' })).toBe('Number of events over the last 24h')
})

it('lists the features of a service in the order of the input', () => {
  const spec = FeatureServiceSpec.parse({
    request: [{ name: 'origin', type: 'string' }],
    timestampField: 'at',
    features: [{ view: 'departures', keys: { airport: 'origin' }, features: { rate: 'late_rate_3h' } }],
    onDemand: [{ name: 'hour', expression: 'at.getHours()', type: 'int' }],
  })
  expect(featuresOfService(spec, ['hour', 'rate'])).toEqual([
    { name: 'hour', from: { expression: 'at.getHours()', type: 'int' } },
    { name: 'rate', from: { view: 'departures', aggregation: 'late_rate_3h', keys: 'airport = origin' } },
  ])
})

it('reads what is typed as the type of its field, or not at all', () => {
  expect([typed('7', 'int'), typed('7.5', 'int'), typed('7.5', 'double'), typed('', 'double')]).toEqual([
    7,
    undefined,
    7.5,
    undefined,
  ])
  expect([typed('9007199254740993', 'int'), typed('true', 'bool'), typed('yes', 'bool')]).toEqual([
    undefined,
    true,
    undefined,
  ])
  expect([typed('<b>', 'string'), typed('', 'string'), typed('', 'timestamp')]).toEqual(['<b>', '', undefined])
})

it('tells a missing value from zero', () => {
  expect([featureText(null), featureText(0), featureText(0.1 + 0.2), featureText(2 ** 53)]).toEqual([
    'no value',
    '0',
    '0.3',
    '9,007,200,000,000,000',
  ])
})
