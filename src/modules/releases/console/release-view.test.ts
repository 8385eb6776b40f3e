import { expect, test } from 'vitest'
import { EndpointSpec, type Release, type Verdict } from '../contract.ts'
import {
  guardrailsOf,
  planOf,
  rollbackOf,
  stagesOf,
  stepsOf,
  stepTimeLeft,
  trafficOf,
  versionState,
} from './release-view.ts'

const spec = EndpointSpec.parse({
  model: 'm',
  strategy: {
    shadow: { sample: '25%', requests: 100 },
    steps: [
      { weight: '10%', requests: 100 },
      { weight: '50%', requests: 100 },
    ],
    guardrails: { errorRate: '0.5%', latencyP99Ms: 40 },
  },
})

const at = '2026-01-01T00:00:00Z'

/** A release that went through the given stages, the last of which is where it is. */
function release(version: string, previous: string | null, ...went: [Release['state'], number][]): Release {
  const [state, weight] = went.at(-1) ?? ['completed', 10_000]
  return {
    id: `00000000-0000-7000-8000-00000000000${version.slice(-1)}`,
    environment: 'prod',
    endpoint: 'e',
    version,
    previous,
    state,
    step: null,
    weight,
    strategy: spec.strategy,
    startedBy: '00000000-0000-7000-8000-0000000000aa',
    startedByName: 'ada',
    startedAt: at,
    endedAt: null,
    note: '',
    reason: null,
    verdicts: [],
    history: went.map(([state, weight]) => ({ at, state, weight, rows: 0, verdicts: [] })),
  }
}

const stages = (one: Release) => stagesOf(one).map(({ name, state }) => `${name} ${state}`)

test('a release walks through its stages', () => {
  expect(stages(release('m@2', 'm@1', ['shadow', 0]))).toEqual([
    'shadow current',
    '1000 ahead',
    '5000 ahead',
    'all ahead',
  ])
  expect(stages(release('m@2', 'm@1', ['shadow', 0], ['canary', 1000], ['canary', 5000]))).toEqual([
    'shadow done',
    '1000 done',
    '5000 current',
    'all ahead',
  ])
  expect(stages(release('m@2', 'm@1', ['shadow', 0], ['completed', 10_000]))).toEqual([
    'shadow done',
    '1000 done',
    '5000 done',
    'all done',
  ])
})

test('a release that was rolled back shows where it failed', () => {
  const failed = release('m@2', 'm@1', ['shadow', 0], ['canary', 1000], ['rolled-back', 0])
  expect(stages(failed)).toEqual(['shadow done', '1000 failed', '5000 ahead', 'all ahead'])
})

test('a first version gets all traffic at once', () => {
  expect(stages(release('m@1', null, ['completed', 10_000]))).toEqual(['all done'])
})

test('a shadow gets copies and answers nobody', () => {
  const traffic = [
    { version: 'm@1', variant: 'primary', weight: 10_000 },
    { version: 'm@2', variant: 'shadow', weight: 0 },
  ]
  expect(trafficOf({ spec, traffic })).toEqual({
    answering: [{ version: 'm@1', variant: 'primary', weight: 10_000 }],
    shadows: [{ version: 'm@2', sample: 2500 }],
  })
})

test('a guardrail that was not judged yet stands there without a verdict', () => {
  const passed: Verdict = { guardrail: 'errorRate', verdict: 'pass', value: 0, limit: 0.005, feature: null, rows: 60 }
  const judged = { ...release('m@2', 'm@1', ['canary', 1000]), verdicts: [passed] }
  expect(guardrailsOf(judged)).toEqual([
    passed,
    { guardrail: 'latencyP99Ms', verdict: 'no-data', value: null, limit: 40, feature: null, rows: 0 },
  ])
})

test('each version is told by what it is to the endpoint', () => {
  const releases = [
    release('m@5', 'm@3', ['shadow', 0], ['canary', 1000]),
    release('m@4', 'm@3', ['shadow', 0], ['rolled-back', 0]),
    release('m@3', 'm@2', ['completed', 10_000]),
    release('m@2', 'm@1', ['completed', 10_000]),
    release('m@1', null, ['completed', 10_000]),
  ]
  const states = ['m@1', 'm@2', 'm@3', 'm@4', 'm@5', 'm@6'].map((ref) =>
    versionState(ref, { version: 'm@3' }, releases),
  )
  expect(states).toEqual(['served before', 'previous', 'serving', 'rolled back', 'canary', 'registered'])
})

test('a rollback ends the running release, else returns to what served before the last one', () => {
  const running = release('m@2', 'm@1', ['canary', 1000])
  expect(rollbackOf({ version: 'm@1', release: running })).toMatchObject({
    from: 'm@2',
    to: 'm@1',
    release: running.id,
  })
  const completed = release('m@2', 'm@1', ['completed', 10_000])
  expect(rollbackOf({ version: 'm@2', release: completed })).toMatchObject({ from: 'm@2', to: 'm@1' })
  expect(rollbackOf({ version: 'm@1', release: release('m@1', null, ['completed', 10_000]) })).toBeUndefined()
  expect(rollbackOf({ version: null, release: null })).toBeUndefined()
})

test('the rest of a step is told from its pace so far', () => {
  expect(stepTimeLeft({ step: 25, needed: 100 }, 60_000)).toBe(180_000)
  expect(stepTimeLeft({ step: 120, needed: 100 }, 60_000)).toBe(0)
  expect(stepTimeLeft({ step: 0, needed: 100 }, 60_000)).toBeUndefined()
})

test('each step lasts until the next; the last of a running release lasts still', () => {
  const one = release('m@2', 'm@1', ['shadow', 0], ['canary', 1000])
  expect(stepsOf(one).map(({ state, until }) => [state, until])).toEqual([
    ['shadow', at],
    ['canary', null],
  ])
})

test('what a release will do is told before it begins', () => {
  expect(planOf(spec.strategy, 'm@1')).toEqual([
    'It gets copies of 25 % of the requests and answers nobody, until it has 100 rows and every guardrail holds.',
    'It answers 10 % of the requests, until it has 100 rows and every guardrail holds.',
    'It answers 50 % of the requests, until it has 100 rows and every guardrail holds.',
    'It answers all requests in place of m@1.',
    'If one of 2 guardrails breaks on the way, m@1 gets all requests back at once.',
  ])
  expect(planOf(spec.strategy, null)).toHaveLength(1)
})
