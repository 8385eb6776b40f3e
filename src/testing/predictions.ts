import { sql } from 'kysely'
import { profileColumn } from '#algorithms/statistics/profile.ts'
import { type PredictionRecord, recordPredictions } from '#modules/predictions/contract.ts'
import { digestOf } from '#platform/ids.ts'
import type { TestPlatform } from './platform.ts'

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Puts `model@1` into the registry as if it were trained on these columns, without a graph that could be served. */
export async function seedVersion(
  { platform, workspace }: TestPlatform,
  model: string,
  trained: { features: Record<string, number[]>; predictions: number[]; auc?: number },
): Promise<string> {
  const content = {
    artifact: digestOf(model),
    signature: { inputs: [], outputs: [] },
    features: Object.keys(trained.features),
    output: 'probability',
    metrics: { auc: trained.auc ?? 0.75 },
    baseline: null,
    slices: [],
    profile: Object.entries(trained.features).map(([name, values]) => profileColumn(name, values)),
    predictionProfile: profileColumn('prediction', trained.predictions),
    run: null,
    trainingSet: null,
    datasets: [],
    featureService: null,
    code: null,
    note: '',
  }
  const spec = { description: '', owner: 'ada', tier: 2, task: 'binary-classification', prediction: '', tags: {} }
  await platform.transaction(workspace, async (db) => {
    await sql`
      insert into registry.model (workspace, name, spec, created_at, last_version)
      values (${workspace}, ${model}, ${JSON.stringify(spec)}::jsonb, ${platform.clock.iso()}, 1)
    `.execute(db)
    await sql`
      insert into registry.version (workspace, model, version, digest, content, author, registered_at)
      values (${workspace}, ${model}, 1, ${digestOf(JSON.stringify(content))}, ${JSON.stringify(content)}::jsonb,
              ${platform.ids.next()}, ${platform.clock.iso()})
    `.execute(db)
  })
  return `${model}@1`
}

/** A record as a node would write it. */
export function recordOf(
  { workspace }: Pick<TestPlatform, 'workspace'>,
  given: Partial<PredictionRecord>,
): PredictionRecord {
  return {
    id: 'request',
    row: 0,
    at: '2001-03-11T10:00:00.000Z',
    receivedAt: '2026-01-01T00:00:00.000Z',
    workspace,
    environment: 'prod',
    endpoint: 'flight-delays',
    release: null,
    variant: 'primary',
    version: 'flight-delays@1',
    generation: 1,
    node: 'node-1',
    status: 'ok',
    errorCode: null,
    latencyUs: 1500,
    request: { origin: 'ORD' },
    features: {},
    prediction: 0.5,
    traceId: null,
    ...given,
  }
}

export function linesOf(records: readonly PredictionRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

/** Sends records as one chunk of `node-1`. */
export function sendChunk(test: TestPlatform, chunk: string, records: readonly PredictionRecord[]) {
  const lines = linesOf(records)
  return test.run(recordPredictions, { node: 'node-1', chunk, digest: digestOf(lines), lines })
}
