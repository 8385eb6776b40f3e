import type { Version } from '../contract.ts'

const digest = (digit: string) => `sha256:${digit.repeat(64)}`

/** A version for tests of what is shown of one. */
export function someVersion(more: Partial<Version> = {}): Version {
  const version = more.version ?? 1
  return {
    ref: `delays@${version}`,
    model: 'delays',
    version,
    artifact: digest('a'),
    files: null,
    flavors: [],
    properties: {},
    source: null,
    loggedModel: null,
    signature: {
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
    },
    features: ['distance', 'hour'],
    output: 'score',
    metrics: {},
    baseline: null,
    slices: [],
    profile: [],
    predictionProfile: null,
    run: null,
    trainingSet: null,
    datasets: [],
    featureService: null,
    code: null,
    note: '',
    digest: digest('d'),
    author: '00000000-0000-7000-8000-000000000001',
    aliases: [],
    registeredAt: '2026-01-01T00:00:00.000Z',
    tags: {},
    stage: 'none',
    changedAt: '2026-01-01T00:00:00.000Z',
    twin: null,
    ...more,
  }
}
