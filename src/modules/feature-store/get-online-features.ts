import { type EntityValue, onlineKey } from '#algorithms/windowed-aggregation/online-key.ts'
import { planAggregations } from '#algorithms/windowed-aggregation/plan.ts'
import { readFeatures } from '#algorithms/windowed-aggregation/read-features.ts'
import { handle } from '#platform/context.ts'
import { checkExpression } from '#platform/expressions/check-expression.ts'
import { evaluate } from '#platform/expressions/evaluate-expression.ts'
import * as contract from './contract.ts'
import { compiledService } from './queries.ts'
import { featureStoreFailure } from './tables.ts'

type Row = Readonly<Record<string, string | number | boolean | null>>

export const getOnlineFeatures = handle(contract.getOnlineFeatures, async (ctx, { featureService, rows }) => {
  const service = await compiledService(ctx.db, featureService)
  const asked = rows.map((row, index) => timeOf(row, service.timestampField, index))
  const values = rows.map(() => new Map<string, number | null>())
  for (const view of service.views) {
    const plan = planAggregations(view.aggregations)
    const keys = rows.map((row, index) => {
      const entity = view.entityFields.map((field) => keyOf(row, field, index))
      return onlineKey(ctx.workspace, view.view, view.definition, entity)
    })
    const stored = await ctx.services.online.getMany(keys)
    values.forEach((row, index) => {
      const read = readFeatures(stored[index], plan, asked[index] ?? 0)
      for (const { name, aggregation } of view.features) {
        row.set(name, read[view.aggregations.findIndex((one) => one.name === aggregation)] ?? null)
      }
    })
  }
  const variables = Object.fromEntries(service.request.map(({ name, type }) => [name, type]))
  for (const { name, expression, type } of service.onDemand) {
    const checked = checkExpression(expression, variables, { expect: type })
    values.forEach((row, index) => {
      const result = evaluate(checked, rows[index] ?? {})
      row.set(name, result.ok && typeof result.value === 'number' ? result.value : null)
    })
  }
  return {
    features: service.features,
    rows: values.map((row) => service.features.map((name) => row.get(name) ?? null)),
  }
})

function timeOf(row: Row, field: string, index: number): number {
  const at = Date.parse(String(row[field] ?? ''))
  if (Number.isNaN(at)) throw requestInvalid(index, field, 'is no RFC 3339 time')
  return at
}

function keyOf(row: Row, field: string, index: number): EntityValue {
  const value = row[field] ?? null
  if (value === null) throw requestInvalid(index, field, 'is missing')
  return value
}

function requestInvalid(index: number, field: string, message: string) {
  return featureStoreFailure('request_invalid', `Row ${index}: ${field} ${message}`, {
    problems: [{ pointer: `/rows/${index}/${field}`, message }],
  })
}
