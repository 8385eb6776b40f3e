import { entityKey } from '#algorithms/windowed-aggregation/online-key.ts'
import { readFeatures } from '#algorithms/windowed-aggregation/read-features.ts'
import { evaluate } from '#platform/expressions/evaluate-expression.ts'
import type { OnlineKey, OnlineStore, OnlineValues } from '#platform/storage/online/online-store.ts'
import type { Endpoint } from './compile-endpoint.ts'
import { inferenceFailure } from './errors.ts'

export type FieldValue = string | number | boolean

/** The rows of a request, checked against the endpoint. */
export interface RequestRows {
  rows: number
  /** For each request field in the endpoint's order, its values by row. */
  fields: readonly (readonly FieldValue[])[]
  /** Event time of each row, in milliseconds since the epoch. */
  times: readonly number[]
}

/**
 * Every feature of every row, one row of `endpoint.slots` after the other; NaN where a feature is missing. The views of all
 * rows are read at once. Answers at once where the store does.
 *
 * @throws `features_unavailable` when the store cannot be read or holds something else
 */
export function computeFeatures(
  endpoint: Endpoint,
  request: RequestRows,
  online: OnlineStore,
): Float64Array | Promise<Float64Array> {
  if (endpoint.views.length === 0) return assemble(endpoint, request, [])
  const keys: OnlineKey[] = []
  for (let row = 0; row < request.rows; row++) {
    for (const { namespace, fields } of endpoint.views) {
      const values = fields.map((field) => request.fields[field]?.[row] ?? '')
      keys.push({ namespace, key: entityKey(values) })
    }
  }
  try {
    const found = online.getMany(keys)
    return found instanceof Promise
      ? found.then((values) => assemble(endpoint, request, values)).catch(unavailable)
      : assemble(endpoint, request, found)
  } catch (error) {
    return unavailable(error)
  }
}

function assemble(endpoint: Endpoint, request: RequestRows, states: OnlineValues): Float64Array {
  const { slots, views } = endpoint
  const values = new Float64Array(request.rows * slots.length).fill(Number.NaN)
  for (let row = 0; row < request.rows; row++) {
    const base = row * slots.length
    request.fields.forEach((column, field) => {
      const value = column[row]
      if (typeof value === 'number') values[base + field] = value
      else if (typeof value === 'boolean') values[base + field] = value ? 1 : 0
    })
    const time = request.times[row] ?? 0
    views.forEach(({ plan, features }, view) => {
      const read = readFeatures(states[row * views.length + view], plan, time)
      for (const { position, slot } of features) values[base + slot] = read[position] ?? Number.NaN
    })
    evaluateFormulas(endpoint, request, row, values)
  }
  return values
}

/** An expression without an answer is a missing feature, as it is NULL in the SQL that made the training set. */
function evaluateFormulas(
  { spec, slots, formulas }: Endpoint,
  request: RequestRows,
  row: number,
  values: Float64Array,
) {
  const base = row * slots.length
  for (const { expression, slot } of formulas) {
    const variables: Record<string, FieldValue | null> = {}
    for (const name of expression.reads) {
      const position = slots.indexOf(name)
      const value = position < spec.request.length ? request.fields[position]?.[row] : values[base + position]
      variables[name] = value === undefined || Number.isNaN(value) ? null : value
    }
    const result = evaluate(expression, variables)
    if (result.ok && typeof result.value === 'number') values[base + slot] = result.value
  }
}

function unavailable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error)
  throw inferenceFailure('features_unavailable', `The online features could not be read: ${reason}`, { cause: error })
}
