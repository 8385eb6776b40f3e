import { describe, expect, it } from 'vitest'
import { fieldText, instantOf, placeInTraining, requestFilterOf } from './prediction-view.ts'

const profile = {
  name: 'distance',
  count: 100,
  nulls: 0,
  mean: 5,
  std: 1,
  min: 0,
  max: 30,
  edges: [10, 20],
  counts: [50, 30, 20],
}

describe('where a value lies in training', () => {
  it.each([
    [0, { bin: 0, below: 0, share: 0.5, outside: false }],
    [10, { bin: 1, below: 0.5, share: 0.3, outside: false }],
    [31, { bin: 2, below: 0.8, share: 0.2, outside: true }],
    [-1, { bin: 0, below: 0, share: 0.5, outside: true }],
  ])('%d', (value, place) => {
    expect(placeInTraining(value, profile)).toEqual(place)
  })

  it('is unknown without a value, a profile or rows', () => {
    expect(placeInTraining(null, profile)).toBeUndefined()
    expect(placeInTraining(1, undefined)).toBeUndefined()
    expect(placeInTraining(1, { ...profile, counts: [0, 0, 0] })).toBeUndefined()
  })
})

it('reads days and instants, in UTC', () => {
  expect(instantOf('2001-06-01')).toBe('2001-06-01T00:00:00.000Z')
  expect(instantOf(' 2001-06-01 12:30 ')).toBe('2001-06-01T12:30:00.000Z')
  expect(instantOf('2001-06-01T12:30:15.5Z')).toBe('2001-06-01T12:30:15.500Z')
  for (const none of ['', 'yesterday', '2001-13-01', '2001-06']) expect(instantOf(none)).toBeUndefined()
})

it('reads fields of a request as people type them', () => {
  expect(requestFilterOf('origin=ORD destination=LGA')).toBe('origin=ORD&destination=LGA')
  expect(requestFilterOf('city="São Paulo & co" x=1')).toBe('city=S%C3%A3o%20Paulo%20%26%20co&x=1')
  expect(requestFilterOf('origin=')).toBe('origin=')
  expect(requestFilterOf('ORD')).toBeUndefined()
})

it('tells null from the text', () => {
  expect([fieldText(null), fieldText('null'), fieldText(''), fieldText(2 ** 53), fieldText(false)]).toEqual([
    'null',
    'null',
    '',
    '9007199254740992',
    'false',
  ])
})
