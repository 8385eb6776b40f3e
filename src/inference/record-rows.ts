import type { PredictionRecord } from '#modules/predictions/contract.ts'
import type { Accepted, Group, GroupResult } from './run-version.ts'

/** One prediction record for each row of the group. */
export function recordRows(
  node: string,
  accepted: Accepted,
  { route, rows }: Group,
  { status, error, predictions }: GroupResult,
  latencyMs: number,
): PredictionRecord[] {
  const { endpoint, id, receivedAt, traceId } = accepted
  const { spec, generation } = endpoint
  return rows.map((row, index) => ({
    id,
    row,
    at: isoOf(accepted.rows.times[row] ?? 0),
    receivedAt,
    workspace: spec.workspace,
    environment: spec.environment,
    endpoint: spec.endpoint,
    release: spec.release,
    variant: route.variant,
    version: route.version.ref,
    generation,
    node,
    status,
    errorCode: error?.code ?? null,
    latencyUs: Math.round(latencyMs * 1000),
    request: requestOf(accepted, row),
    features: featuresOf(accepted, { route, rows }, row),
    prediction: predictions[index] ?? null,
    traceId,
  }))
}

function requestOf({ endpoint, rows }: Accepted, row: number): PredictionRecord['request'] {
  const request: PredictionRecord['request'] = {}
  endpoint.spec.request.forEach(({ name }, field) => {
    request[name] = rows.fields[field]?.[row] ?? null
  })
  return request
}

function featuresOf(
  { endpoint, features, inputs }: Accepted,
  { route }: Group,
  row: number,
): PredictionRecord['features'] {
  const named: PredictionRecord['features'] = {}
  if (features.length > 0) {
    const base = row * endpoint.slots.length
    route.version.features.forEach((name, index) => {
      named[name] = finite(features[base + (route.columns[index] ?? 0)])
    })
  } else if (endpoint.plain && inputs.length === 1) {
    const width = route.version.features.length
    route.version.features.forEach((name, index) => {
      named[name] = finite(inputs[0]?.data[row * width + index])
    })
  }
  return named
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function isoOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
