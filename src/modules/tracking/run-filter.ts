import { type Comparison, FilterError, readFilter } from '#algorithms/search-filter/read-filter.ts'
import { type RunCondition, runAttributes } from './contract.ts'
import { trackingFailure } from './tables.ts'

/** The conditions of a filter in MLflow's grammar. */
export function conditionsOf(filter: string): RunCondition[] {
  try {
    return readFilter(filter).map(conditionOf)
  } catch (error) {
    throw error instanceof FilterError ? trackingFailure('run_search_invalid', error.message) : error
  }
}

function conditionOf({ entity, key, comparator, value }: Comparison): RunCondition {
  if (entity === 'tag' && key === 'mlflow.runName') return { field: 'attribute', key: 'name', comparator, value }
  if (entity !== 'attribute') return { field: entity, key, comparator, value }
  const attribute = runAttributes.get(key)
  if (attribute === undefined) {
    throw new FilterError(`Invalid attribute key '${key}'; there are ${[...runAttributes.keys()].join(', ')}`)
  }
  const translate = (text: string) => {
    if (attribute === 'run') return uuidOf(text)
    return attribute === 'status' ? text.toLowerCase() : text
  }
  if (Array.isArray(value)) return { field: 'attribute', key: attribute, comparator, value: value.map(translate) }
  const instants = attribute === 'startedAt' || attribute === 'endedAt'
  return {
    field: 'attribute',
    key: attribute,
    comparator,
    value: instants ? instantOf(value) : translate(String(value)),
  }
}

/** Clients of MLflow write a run's id without dashes. */
function uuidOf(text: string): string {
  const hex = text.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex)) return text
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Clients of MLflow write a time in milliseconds; people write a date. */
function instantOf(value: string | number): string {
  const time = Number.isNaN(Number(value)) ? Date.parse(String(value)) : Number(value)
  if (Math.abs(time) <= 8.64e15) return new Date(time).toISOString()
  throw new FilterError(`${value} is not a time: write a date, or milliseconds since 1970`)
}
