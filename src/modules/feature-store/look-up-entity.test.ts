import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TestPlatform } from '#testing/platform.ts'
import { lookUpEntity, pushEvents } from './contract.ts'
import { declareFlights, startFeatureStore } from './flights.fixture.ts'

let test: TestPlatform

beforeAll(async () => {
  test = await startFeatureStore()
  await declareFlights(test)
  await test.run(pushEvents, {
    dataset: 'flights',
    batch: 'first',
    columns: {
      date: ['2001-07-01T10:00:00Z', '2001-07-01T10:07:00Z'],
      delay: [30, 0],
      distance: [450, 450],
      origin: ['XAA', 'XAA'],
      destination: ['XBB', 'XBB'],
    },
  })
}, 60_000)
afterAll(() => test.drop())

describe('looking up an entity', () => {
  const look = (at: string, entity: Record<string, string | number> = { airport: 'XAA' }) =>
    test.run(lookUpEntity, { view: 'departures', entity, at })

  it('answers its features at a time, and how fresh they are', async () => {
    // Outcomes are known half an hour after arrival: at 11:30 and at 11:37.
    expect(await look('2001-07-01T13:00:00Z')).toEqual({
      view: 'departures',
      at: '2001-07-01T13:00:00.000Z',
      newestEvent: '2001-07-01T11:35:00.000Z',
      features: [
        { name: 'late_3h', value: 0.5 },
        { name: 'flights_24h', value: 2 },
      ],
    })
    const before = await look('2001-07-01T11:36:00Z')
    expect(before.features[0]).toEqual({ name: 'late_3h', value: 1 })
  })

  it('says that it was never seen', async () => {
    expect(await look('2001-07-01T13:00:00Z', { airport: '<b>🛫' })).toMatchObject({
      newestEvent: null,
      features: [{ value: null }, { value: 0 }],
    })
  })

  it.each([{}, { airport: 7 }])('refuses %o, which names no entity', async (entity) => {
    await expect(look('2001-07-01T13:00:00Z', entity)).rejects.toMatchObject({
      code: 'request_invalid',
      problems: [{ pointer: '/entity/airport' }],
    })
  })
})
