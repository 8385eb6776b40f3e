import { checkNamed } from '#modules/datasets/queries.ts'
import type { VariableType } from '#platform/expressions/types.ts'
import type { CompiledService, FeatureServiceSpec, ServedView } from './contract.ts'
import type { ResolvedView } from './resolve-view.ts'
import { featureStoreFailure } from './tables.ts'

/**
 * A feature service over its views: what training and serving both follow.
 *
 * @throws `definition_invalid`, `expression_invalid`
 */
export function compileService(
  service: string,
  spec: FeatureServiceSpec,
  views: ReadonlyMap<string, ResolvedView>,
): CompiledService {
  const refuse = (message: string) =>
    featureStoreFailure('definition_invalid', `The feature service ${service}: ${message}`)
  const request = new Map(spec.request.map(({ name, type }) => [name, type]))
  if (request.size < spec.request.length) throw refuse('a request field is declared twice')
  if (request.get(spec.timestampField) !== 'timestamp') {
    throw refuse(`timestampField: ${spec.timestampField} is no request field of type timestamp`)
  }

  const served = spec.features.map(({ view: name, keys, features }): ServedView => {
    const view = views.get(name)
    if (view === undefined) throw featureStoreFailure('feature_view_not_found', `There is no feature view ${name}`)
    const entityFields = view.joinKeys.map((key) => {
      const field = keys[key.name]
      if (field === undefined) throw refuse(`${name}: no request field is given for the join key ${key.name}`)
      if (request.get(field) !== key.type) throw refuse(`${name}: ${field} is no request field of type ${key.type}`)
      return field
    })
    const stranger = Object.keys(keys).find((key) => !view.joinKeys.some((joinKey) => joinKey.name === key))
    if (stranger !== undefined) throw refuse(`${name} has no join key ${stranger}`)
    const read = Object.entries(features).map(([feature, aggregation]) => {
      if (!view.aggregations.some((one) => one.name === aggregation)) {
        throw refuse(`${feature}: ${name} has no aggregation ${aggregation}`)
      }
      return { name: feature, aggregation }
    })
    return { view: name, definition: view.definition, entityFields, aggregations: view.aggregations, features: read }
  })

  const variables: Record<string, VariableType> = Object.fromEntries(request)
  for (const { name, expression, type } of spec.onDemand) {
    checkNamed(`The on-demand feature ${name}`, expression, variables, type)
  }
  const declared = [...served.flatMap(({ features }) => features), ...spec.onDemand].map(({ name }) => name)
  return {
    request: spec.request,
    timestampField: spec.timestampField,
    views: served,
    onDemand: spec.onDemand,
    features: inOrder(declared, spec.order, refuse),
  }
}

function inOrder(declared: string[], order: string[] | undefined, refuse: (message: string) => Error): string[] {
  const twice = declared.find((name, index) => declared.indexOf(name) !== index)
  if (twice !== undefined) throw refuse(`the feature ${twice} is declared twice`)
  if (declared.length === 0) throw refuse('it has no features')
  if (order === undefined) return declared
  const missing = declared.find((name) => !order.includes(name))
  if (missing !== undefined) throw refuse(`order leaves out ${missing}`)
  const stranger = order.find((name, index) => !declared.includes(name) || order.indexOf(name) !== index)
  if (stranger !== undefined) throw refuse(`order: ${stranger} is no feature, or is named twice`)
  return order
}
