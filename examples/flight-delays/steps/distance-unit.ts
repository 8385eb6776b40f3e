import type { Table } from './boosted-trees.ts'
import { scaleFeature } from './read-table.ts'
import { type Step, textParam } from './step.ts'

const perMile: Record<string, number> = { miles: 1, kilometres: 1.609344 }

/** Turns the feature `distance`, which the table holds in miles, into the unit that the step's parameter names. */
export function convertDistance(table: Table, step: Step): void {
  const unit = textParam(step, 'distance_unit', 'miles')
  const factor = perMile[unit]
  if (factor === undefined) throw new Error(`The parameter "distance_unit" is miles or kilometres, not "${unit}".`)
  if (factor !== 1) scaleFeature(table, 'distance', factor)
}
