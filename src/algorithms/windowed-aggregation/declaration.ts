export const aggregationFunctions = ['count', 'sum', 'mean', 'min', 'max'] as const

export type AggregationFunction = (typeof aggregationFunctions)[number]

/**
 * A trailing aggregation of one view. Time is cut into tiles of `hop` milliseconds aligned to the epoch; an event that
 * became available at `t` lies in tile `floor(t / hop)`. Asked at `q`, the feature covers the tiles
 * `[floor(q / hop) - window / hop, floor(q / hop))`: closed tiles only, so its value does not depend on the order of
 * arrival inside the open tile, knows nothing later than `q`, and is stale by less than one hop.
 *
 * `count` without a column counts rows; every other function skips missing values (null, NaN and infinities). Over no
 * values `count` is 0 and the others are null.
 */
export interface TileAggregation {
  name: string
  function: AggregationFunction
  /** Needed by every function but `count`. */
  column?: string | undefined
  /** Milliseconds, a multiple of `hop`. */
  window: number
  /** Milliseconds. */
  hop: number
}

export interface AggregationProblem {
  /** JSON pointer into the list of declarations. */
  pointer: string
  message: string
}

export const aggregationLimits = {
  aggregations: 200,
  /** Distinct hops of one view; each keeps its own tiles. */
  hops: 8,
  /** Tiles in one window: bounds the stored bytes and the time of a read. */
  tilesPerWindow: 10_000,
  nameLength: 200,
} as const

/** Everything that is wrong with the declarations of one view; empty when they can be planned. */
export function checkAggregations(aggregations: readonly TileAggregation[]): AggregationProblem[] {
  const problems: AggregationProblem[] = []
  const names = new Set<string>()
  if (aggregations.length > aggregationLimits.aggregations) {
    problems.push({ pointer: '', message: `A view has at most ${aggregationLimits.aggregations} aggregations` })
  }
  if (new Set(aggregations.map(({ hop }) => hop)).size > aggregationLimits.hops) {
    problems.push({ pointer: '', message: `A view has at most ${aggregationLimits.hops} distinct hops` })
  }
  aggregations.forEach((aggregation, index) => {
    const { name, window, hop, column } = aggregation
    const report = (field: string, message: string) => problems.push({ pointer: `/${index}/${field}`, message })

    if (name.length === 0 || name.length > aggregationLimits.nameLength) {
      report('name', `A name has 1 to ${aggregationLimits.nameLength} characters`)
    }
    if (names.has(name)) report('name', `The name ${name} is used twice`)
    names.add(name)
    if (!aggregationFunctions.includes(aggregation.function)) {
      report('function', `${aggregation.function} is none of ${aggregationFunctions.join(', ')}`)
    }
    if (column === '' || (column === undefined && aggregation.function !== 'count')) {
      report('column', `${aggregation.function} needs the column that it aggregates`)
    }
    if (!Number.isSafeInteger(hop) || hop <= 0) report('hop', 'A hop is a positive whole number of milliseconds')
    else if (!Number.isSafeInteger(window) || window <= 0) {
      report('window', 'A window is a positive whole number of milliseconds')
    } else if (window % hop !== 0) report('window', `The window ${window} is not a multiple of its hop ${hop}`)
    else if (window / hop > aggregationLimits.tilesPerWindow) {
      report('window', `A window has at most ${aggregationLimits.tilesPerWindow} hops; choose a longer hop`)
    }
  })
  return problems
}
