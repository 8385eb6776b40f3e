import { checkAggregations } from '#algorithms/windowed-aggregation/declaration.ts'
import type { DatasetSpec } from '#modules/datasets/contract.ts'
import { compileContract } from '#modules/datasets/queries.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { digestOf } from '#platform/ids.ts'
import { durationMs } from '#platform/names.ts'
import type { EntitySpec, FeatureViewSpec, ServedAggregation } from './contract.ts'
import { featureStoreFailure } from './tables.ts'

/** A feature view with everything that decides its values. */
export interface ResolvedView {
  view: string
  dataset: string
  definition: string
  timestamp: string
  joinKeys: EntitySpec['joinKeys']
  /** Columns of the dataset, in the order of the join keys. */
  keyColumns: string[]
  aggregations: ServedAggregation[]
  /** Every column that it reads, with the formula of a derived one. */
  columns: { name: string; expression: string | undefined }[]
}

const hour = 3_600_000

/**
 * Works out a view over the dataset as it is declared now. The definition covers the derived columns that the view reads,
 * so that a changed formula never mixes with values under the old one.
 *
 * @throws `definition_invalid`
 */
export function resolveView(
  view: string,
  spec: FeatureViewSpec,
  { joinKeys }: EntitySpec,
  dataset: DatasetSpec,
): ResolvedView {
  const refuse = (message: string) => featureStoreFailure('definition_invalid', `The feature view ${view}: ${message}`)
  const { columns } = compileContract(dataset)
  const typeOf = (column: string) => {
    const type = columns.get(column)?.type
    if (type === undefined) throw refuse(`the dataset ${spec.dataset} has no column ${column}`)
    return type
  }
  const stranger = Object.keys(spec.keys).find((name) => !joinKeys.some((key) => key.name === name))
  if (stranger !== undefined) throw refuse(`the entity ${spec.entity} has no join key ${stranger}`)
  const keyColumns = joinKeys.map(({ name, type }) => {
    const column = spec.keys[name]
    if (column === undefined) throw refuse(`keys: no column is given for the join key ${name}`)
    if (typeOf(column) !== type) throw refuse(`the join key ${name} is ${type}, but ${column} is ${typeOf(column)}`)
    return column
  })
  if (typeOf(spec.timestamp) !== 'timestamp') throw refuse(`timestamp: ${spec.timestamp} is ${typeOf(spec.timestamp)}`)
  const aggregations = spec.aggregations.map(({ name, function: kind, column, window, hop }): ServedAggregation => {
    if (column !== undefined && ['string', 'timestamp'].includes(typeOf(column))) {
      throw refuse(`${name}: ${column} is ${typeOf(column)}, no number or bool`)
    }
    const span = durationMs(window)
    return {
      name,
      function: kind,
      ...(column && { column }),
      window: span,
      hop: hop ? durationMs(hop) : usualHop(span),
    }
  })
  const [problem] = checkAggregations(aggregations)
  if (problem !== undefined) throw refuse(`aggregations${problem.pointer}: ${problem.message}`)

  const read = new Set([spec.timestamp, ...keyColumns, ...aggregations.flatMap(({ column }) => column ?? [])])
  const described = {
    dataset: spec.dataset,
    timestamp: spec.timestamp,
    keys: joinKeys.map(({ type }, index) => ({ type, column: keyColumns[index] })),
    aggregations,
    columns: [...read].map((name) => ({ name, expression: dataset.derived[name]?.expression })),
  }
  return {
    view,
    dataset: spec.dataset,
    definition: digestOf(canonicalJson(described)),
    timestamp: spec.timestamp,
    joinKeys,
    keyColumns,
    aggregations,
    columns: described.columns,
  }
}

/** Chronon's choice: fine hops where windows are short, so that a window is a few hundred tiles at most. */
function usualHop(window: number): number {
  if (window < 12 * hour) return hour / 12
  return window < 12 * 24 * hour ? hour : 24 * hour
}
