import type { FeatureServiceSpec, FeatureViewSpec } from '../contract.ts'

type Aggregation = FeatureViewSpec['aggregations'][number]

const spoken: Record<Aggregation['function'], string> = {
  count: 'Number',
  sum: 'Sum',
  mean: 'Mean',
  min: 'Least',
  max: 'Greatest',
}

/** `Mean of late over the last 3h, moving by 5m`. */
export function aggregationInWords({ function: kind, column, window, hop }: Aggregation): string {
  const of = column === undefined ? 'of events' : `of ${column}`
  return `${spoken[kind]} ${of} over the last ${window}${hop === undefined ? '' : `, moving by ${hop}`}`
}

export interface ServiceFeature {
  name: string
  /** Where it comes from: a view's aggregation, or an expression over the request. */
  from: { view: string; aggregation: string; keys: string } | { expression: string; type: string }
}

/** The features of a service in the order of the model's input, each with its definition. */
export function featuresOfService(spec: FeatureServiceSpec, order: readonly string[]): ServiceFeature[] {
  const all = new Map<string, ServiceFeature>()
  for (const { view, keys, features } of spec.features) {
    const by = Object.entries(keys).map(([key, field]) => (key === field ? key : `${key} = ${field}`))
    for (const [name, aggregation] of Object.entries(features)) {
      all.set(name, { name, from: { view, aggregation, keys: by.join(', ') } })
    }
  }
  for (const { name, expression, type } of spec.onDemand) all.set(name, { name, from: { expression, type } })
  return order.flatMap((name) => all.get(name) ?? [])
}

/** What is typed for a request field, as JSON carries it; undefined when it is none of the type. */
export function typed(text: string, type: string): string | number | boolean | undefined {
  if (type === 'string' || type === 'timestamp') return text === '' && type === 'timestamp' ? undefined : text
  if (type === 'bool') return text === 'true' ? true : text === 'false' ? false : undefined
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || (type === 'int' && !Number.isSafeInteger(number)))
    return undefined
  return number
}

/** A feature's value as one reads it; a missing one is told apart from 0. */
export const featureText = (value: number | null | undefined): string =>
  value === null || value === undefined
    ? 'no value'
    : Number(value.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 12 })
