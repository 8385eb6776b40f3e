import { performance } from 'node:perf_hooks'
import { matchInputs } from '#algorithms/tensors/match-inputs.ts'
import type { Clock } from '#platform/clock.ts'
import { PaveError } from '#platform/errors.ts'
import type { Ids } from '#platform/ids.ts'
import type { OnlineStore } from '#platform/storage/online/online-store.ts'
import { assignRows, targetingKeyOf } from './assign-rows.ts'
import { bucketOf } from './assign-variant.ts'
import type { Endpoint } from './compile-endpoint.ts'
import { composeResponse, type InferenceResponse } from './compose-response.ts'
import { computeFeatures, type RequestRows } from './compute-features.ts'
import { inferenceFailure } from './errors.ts'
import type { Metrics } from './metrics.ts'
import type { OnnxPool } from './onnx-pool.ts'
import type { PredictionLog } from './prediction-log.ts'
import { type InferenceRequest, readRows, withFailures } from './read-request.ts'
import { recordRows } from './record-rows.ts'
import { type Accepted, failGroup, type Group, type GroupResult, runVersion } from './run-version.ts'

/** What answering needs besides the request. */
export interface Answering {
  node: string
  pool: Pick<OnnxPool, 'run' | 'runShadow'>
  online: OnlineStore
  predictions: Pick<PredictionLog, 'append'>
  metrics: Metrics
  clock: Clock
  ids: Ids
}

export interface Call {
  /** Number of the version that the path asks for. */
  version: number | undefined
  traceId: string | null
  /** `performance.now()` when the last byte of the request was there. */
  receivedAt: number
}

export interface Answer {
  outcome: InferenceResponse | PaveError
  /** Records the answer and feeds the shadows; to be called when the answer is on its way. */
  finish(): void
}

/**
 * Answers one request: rows, assignment, features, model, fallback.
 *
 * @throws the errors of a request that is refused; what fails later is the answer's outcome
 */
export async function answerRequest(
  answering: Answering,
  endpoint: Endpoint,
  request: InferenceRequest,
  call: Call,
): Promise<Answer> {
  const { spec } = endpoint
  checkOutputs(endpoint, request)
  const now = answering.clock.now()
  const rows = endpoint.plain ? plainRows(endpoint, request, now) : readRows(spec, request.inputs, now)
  const id = request.id ?? answering.ids.next()
  const groups = assignRows(endpoint, request, rows, id, call.version)
  if (endpoint.waiting >= spec.limits.queue) {
    throw inferenceFailure('queue_full', `${endpoint.waiting} requests already wait for ${spec.endpoint}`)
  }
  const accepted: Accepted = {
    endpoint,
    id,
    receivedAt: new Date(now).toISOString(),
    traceId: call.traceId,
    inputs: request.inputs,
    rows,
    features: new Float64Array(0),
  }

  endpoint.active++
  endpoint.waiting++
  const results = await runGroups(answering, accepted, groups, call.receivedAt)
    .catch((error) => {
      leave(endpoint)
      throw error
    })
    .finally(() => {
      endpoint.waiting--
    })
  const latency = performance.now() - call.receivedAt
  return {
    outcome:
      results.find(({ status }) => status === 'error')?.error ?? composeResponse(accepted, request, groups, results),
    finish() {
      groups.forEach((group, index) => {
        const result = results[index]
        if (result !== undefined) record(answering, accepted, group, result, latency)
      })
      const computed = endpoint.plain || accepted.features.length > 0
      if (computed && endpoint.shadows.length > 0) {
        const key = targetingKeyOf(endpoint, request, rows, 0, id)
        setImmediate(() => void runShadows(answering, accepted, key).finally(() => leave(endpoint)))
      } else {
        leave(endpoint)
      }
    },
  }
}

async function runGroups(
  answering: Answering,
  accepted: Accepted,
  groups: readonly Group[],
  startedAt: number,
): Promise<GroupResult[]> {
  const { endpoint, rows } = accepted
  try {
    if (!endpoint.plain) accepted.features = await computeFeatures(endpoint, rows, answering.online)
  } catch (error) {
    if (!(error instanceof PaveError)) throw error
    return groups.map((group) => failGroup(accepted, group, error))
  }
  const elapsed = performance.now() - startedAt
  answering.metrics.featuresComputed(endpoint.spec.endpoint, elapsed / 1000)
  const left = Math.max(1, endpoint.spec.limits.timeoutMs - elapsed)
  return Promise.all(groups.map((group) => runVersion(accepted, group, left, answering.pool.run)))
}

/** Copies for the versions that answer nobody. They wait behind every live request, and are dropped when many wait. */
async function runShadows(answering: Answering, accepted: Accepted, key: string): Promise<void> {
  const { spec, shadows } = accepted.endpoint
  const rows = Array.from({ length: accepted.rows.rows }, (_, row) => row)
  const runs = shadows.map(async (route) => {
    if (bucketOf(`${spec.salt}/${route.version.ref}`, key) >= route.weight) return
    const startedAt = performance.now()
    let dropped = false
    const result = await runVersion(accepted, { route, rows }, spec.limits.timeoutMs, async (request) => {
      const running = answering.pool.runShadow(request)
      dropped = running === undefined
      return running ?? []
    })
    if (dropped) answering.metrics.shadowDropped(spec.endpoint)
    else record(answering, accepted, { route, rows }, result, performance.now() - startedAt)
  })
  await Promise.all(runs)
}

function record(answering: Answering, accepted: Accepted, group: Group, result: GroupResult, latencyMs: number): void {
  const { metrics, predictions, node } = answering
  metrics.answered(accepted.endpoint.spec.endpoint, group.route, result.status, group.rows.length, latencyMs / 1000)
  for (const line of recordRows(node, accepted, group, result, latencyMs)) predictions.append(line)
}

function leave(endpoint: Endpoint): void {
  endpoint.active--
  if (endpoint.active === 0) endpoint.onDrained?.()
}

function checkOutputs({ spec, routes, plain }: Endpoint, { outputs }: InferenceRequest): void {
  const version = routes[0]?.version
  if (outputs === undefined || version === undefined) return
  const known = plain ? version.signature.outputs.map(({ name }) => name) : [version.output]
  const unknown = outputs.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw inferenceFailure(
    'tensor_unexpected',
    `${spec.endpoint} gives no output ${unknown}; it gives ${known.join(', ')}`,
  )
}

/** Without features the tensors go to the model as they are. */
function plainRows({ spec, routes }: Endpoint, { inputs }: InferenceRequest, now: number): RequestRows {
  withFailures(() => matchInputs(inputs, routes[0]?.signature.inputs ?? []))
  const rows = inputs[0]?.shape[0] ?? 1
  if (rows > spec.limits.rows) {
    throw inferenceFailure(
      'too_many_rows',
      `The request has ${rows} rows; the endpoint takes ${spec.limits.rows} at once`,
    )
  }
  return { rows, fields: [], times: new Array<number>(rows).fill(now) }
}
