import { expect, test } from 'vitest'
import { paramImportance, ranksOf } from './param-importance.ts'
import { someRun } from './some-run.fixture.ts'

/** The same numbers each time, as even as chance's. */
function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

test('what decides comes first, whichever way and shape, and what does nothing comes to about nothing', () => {
  const random = numbersFrom(7)
  const runs = Array.from({ length: 300 }, (_, index) => {
    const [lr, width, noise] = [10 ** (-4 * random()), 2 * random() - 1, random()]
    const kind = ['a', 'b', 'c'][index % 3] ?? 'a'
    const auc = -Math.log10(lr) + 3 * width ** 2 + (kind === 'b' ? 0.5 : 0) + 0.2 * random()
    return someRun({ params: { lr: String(lr), width: String(width), noise: String(noise), kind }, metrics: { auc } })
  })
  const found = new Map(paramImportance(runs, 'auc').map((one) => [one.key, one]))
  expect([...found.keys()].slice(0, 2)).toEqual(['lr', 'width'])
  const [lr, width, noise, kind] = ['lr', 'width', 'noise', 'kind'].map((key) => found.get(key))
  expect(lr?.share).toBeGreaterThan(0.4)
  expect(lr?.correlation?.rho).toBeLessThan(-0.6)
  expect(lr?.correlation?.interval[1]).toBeLessThan(-0.5)
  // A valley: by rank there is no direction, and yet the param decides.
  expect(width?.share).toBeGreaterThan(0.2)
  expect(width?.correlation?.interval[0]).toBeLessThan(0)
  expect(width?.correlation?.interval[1]).toBeGreaterThan(0)
  expect(noise?.share).toBeLessThan(0.04)
  expect(noise?.interval[0]).toBe(0)
  expect(kind?.groups).toBe(3)
  expect(kind?.correlation).toBeUndefined()
})

test('the share and the correlation are those of the textbook', () => {
  // Two groups of five whose ranks are 1…5 and 6…10: H = 6.818, epsilon² = 1 − (20/8)·(9/82.5).
  const runs = Array.from({ length: 10 }, (_, index) =>
    someRun({ params: { half: index < 5 ? 'low' : 'high', place: String(index) }, metrics: { auc: 2 ** index } }),
  )
  const [place, half] = ['place', 'half'].map((key) => paramImportance(runs, 'auc').find((one) => one.key === key))
  expect(half?.share).toBeCloseTo(1 - (20 / 8) * (9 / 82.5), 10)
  expect(place?.correlation?.rho).toBeCloseTo(1, 10)
  expect(ranksOf([3, 1, 3, 2])).toEqual([3.5, 1, 3.5, 2])
})

test('chance alone is seldom taken for a cause', () => {
  const random = numbersFrom(11)
  let found = 0
  for (let trial = 0; trial < 200; trial += 1) {
    const runs = Array.from({ length: 60 }, () =>
      someRun({ params: { x: String(random()) }, metrics: { auc: random() } }),
    )
    if ((paramImportance(runs, 'auc')[0]?.interval[0] ?? 0) > 0) found += 1
  }
  expect(found / 200).toBeLessThan(0.1)
})

test('too few runs, a name for each and one value for all say nothing', () => {
  const few = Array.from({ length: 5 }, (_, i) => someRun({ params: { x: String(i) }, metrics: { auc: i } }))
  expect(paramImportance(few, 'auc')).toEqual([])
  const named = Array.from({ length: 40 }, (_, i) =>
    someRun({ params: { name: `n${i}`, same: '1' }, metrics: { auc: i, gone: 'NaN' } }),
  )
  expect(paramImportance(named, 'auc')).toEqual([])
  expect(paramImportance(named, 'gone')).toEqual([])
})
