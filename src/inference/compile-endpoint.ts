import { isDatatype } from '#algorithms/tensors/datatypes.ts'
import type { ModelSignature } from '#algorithms/tensors/signature.ts'
import { onlineNamespace } from '#algorithms/windowed-aggregation/online-key.ts'
import { type AggregationPlan, planAggregations } from '#algorithms/windowed-aggregation/plan.ts'
import type { ServedEndpoint, ServedVersion, SignatureTensor } from '#modules/releases/contract.ts'
import { checkExpression } from '#platform/expressions/check-expression.ts'
import type { CheckedExpression } from '#platform/expressions/tree.ts'
import type { VariableType } from '#platform/expressions/types.ts'
import { inferenceFailure } from './errors.ts'

/** A served version with what a request needs to reach it. */
export interface Route {
  variant: 'primary' | 'canary' | 'shadow'
  /** Basis points of the traffic; for a shadow, of the requests that it gets a copy of. */
  weight: number
  version: ServedVersion
  signature: ModelSignature
  /** Its name in the pool. */
  key: string
  /** For each column of the model's input, where its value is among the endpoint's features; empty for plain tensors. */
  columns: Int32Array
  /** Whether requests may share a call of the model. */
  batched: boolean
}

interface CompiledView {
  namespace: string
  plan: AggregationPlan
  /** Positions of the entity key's fields among the request fields. */
  fields: number[]
  /** Which of the plan's values are read, and where each goes among the endpoint's features. */
  features: { position: number; slot: number }[]
}

interface CompiledFormula {
  expression: CheckedExpression
  slot: number
}

/** An endpoint of a plan, worked out once for all its requests. */
export interface Endpoint {
  spec: ServedEndpoint
  /** Of the plan that it comes from. */
  generation: number
  /** No features: the request carries the model's own tensors. */
  plain: boolean
  /** Names of all features that a version may use: request fields, then views, then on-demand. */
  slots: string[]
  views: CompiledView[]
  formulas: CompiledFormula[]
  routes: Route[]
  shadows: Route[]
  /** Also the versions without traffic are there. */
  complete: boolean
  /** Requests that wait for their answer. */
  waiting: number
  /** The same and those whose shadows still run. */
  active: number
  /** Called when the last of them is, once the endpoint has been replaced. */
  onDrained: (() => void) | undefined
}

/** What a version is called on a node, where several workspaces may have a model of the same name. */
export function versionKey(workspace: string, ref: string): string {
  return `${workspace}/${ref}`
}

/**
 * @param versions the loaded versions by `versionKey`
 * @throws `version_unloadable` when a version that gets traffic is not loaded or needs what the endpoint does not have
 */
export function compileEndpoint(
  spec: ServedEndpoint,
  generation: number,
  versions: ReadonlyMap<string, ServedVersion>,
): Endpoint {
  const plain = spec.views.length === 0 && spec.onDemand.length === 0 && spec.request.length === 0
  const slots = spec.request.map(({ name }) => name)
  const views = spec.views.map((view) => ({
    namespace: onlineNamespace(spec.workspace, view.view, view.definition),
    plan: planAggregations(view.aggregations),
    fields: view.entityFields.map((field) => positionOf(spec, field, `view ${view.view}`)),
    features: view.features.map(({ name, aggregation }) => {
      const position = view.aggregations.findIndex((one) => one.name === aggregation)
      if (position < 0) throw unloadable(spec, `view ${view.view} has no aggregation ${aggregation}`)
      return { position, slot: slots.push(name) - 1 }
    }),
  }))
  const formulas = compileFormulas(spec, slots)

  const route = (ref: string, variant: Route['variant'], weight: number): Route => {
    const key = versionKey(spec.workspace, ref)
    const version = versions.get(key)
    if (version === undefined) throw unloadable(spec, `${ref} is not loaded`, ref)
    const signature = signatureOf(version)
    const columns = plain ? new Int32Array(0) : columnsOf(spec, slots, version)
    return { variant, weight, version, signature, key, columns, batched: isBatched(version) }
  }
  const spare = <T>(weight: number, make: () => T): T[] => {
    if (weight > 0) return [make()]
    try {
      return [make()]
    } catch {
      // A version without traffic, such as the one to roll back to, must not stop the others.
      return []
    }
  }
  const routes = spec.routes.flatMap(({ version, variant, weight }) =>
    spare(weight, () => route(version, variant, weight)),
  )
  const shadows = spec.shadows.flatMap(({ version, sample }) => spare(0, () => route(version, 'shadow', sample)))
  return {
    spec,
    generation,
    plain,
    slots,
    views,
    formulas,
    routes,
    shadows,
    complete: routes.length === spec.routes.length && shadows.length === spec.shadows.length,
    waiting: 0,
    active: 0,
    onDrained: undefined,
  }
}

/** @throws `version_unloadable` when the signature names a datatype that is none */
export function signatureOf({ ref, signature }: ServedVersion): ModelSignature {
  const typed = (tensor: SignatureTensor) => {
    if (isDatatype(tensor.datatype)) return { ...tensor, datatype: tensor.datatype }
    throw inferenceFailure(
      'version_unloadable',
      `${ref}: tensor ${tensor.name} has no such datatype as ${tensor.datatype}`,
    )
  }
  return { inputs: signature.inputs.map(typed), outputs: signature.outputs.map(typed) }
}

function compileFormulas(spec: ServedEndpoint, slots: string[]): CompiledFormula[] {
  const variables: Record<string, VariableType> = {}
  for (const { name, type } of spec.request) variables[name] = type
  for (const { aggregations, features } of spec.views) {
    for (const { name, aggregation } of features) {
      const counts = aggregations.some((one) => one.name === aggregation && one.function === 'count')
      variables[name] = counts ? 'int' : 'double?'
    }
  }
  return spec.onDemand.map(({ name, expression, type }) => {
    const checked = checkExpression(expression, variables, { expect: type })
    // A feature may bear the name of the request field that it is made from; formulas then go on reading the field.
    if (!(name in variables)) variables[name] = `${type}?`
    return { expression: checked, slot: slots.push(name) - 1 }
  })
}

function positionOf(spec: ServedEndpoint, field: string, user: string): number {
  const position = spec.request.findIndex(({ name }) => name === field)
  if (position < 0) throw unloadable(spec, `${user} needs the request field ${field}, which is not declared`)
  return position
}

function columnsOf(spec: ServedEndpoint, slots: readonly string[], version: ServedVersion): Int32Array {
  const [input, ...more] = version.signature.inputs
  if (input === undefined || more.length > 0 || input.datatype !== 'FP32' || input.shape.length !== 2) {
    throw unloadable(spec, `${version.ref} does not take one FP32 tensor of shape [rows, features]`, version.ref)
  }
  if (input.shape[1] !== -1 && input.shape[1] !== version.features.length) {
    throw unloadable(
      spec,
      `${version.ref} takes ${input.shape[1]} columns but names ${version.features.length} features`,
      version.ref,
    )
  }
  if (!version.signature.outputs.some(({ name }) => name === version.output)) {
    throw unloadable(spec, `${version.ref} has no output ${version.output}`, version.ref)
  }
  return Int32Array.from(version.features, (feature) => {
    const slot = slots.lastIndexOf(feature)
    if (slot < 0)
      throw unloadable(
        spec,
        `${version.ref} needs the feature ${feature}, which the endpoint does not have`,
        version.ref,
      )
    if (slots.indexOf(feature, spec.request.length) < slot && slot >= spec.request.length)
      throw unloadable(spec, `the feature ${feature} is declared twice`, version.ref)
    const type = spec.request[slot]?.type
    if (type === 'string' || type === 'timestamp')
      throw unloadable(spec, `the feature ${feature} is a ${type}, no number`, version.ref)
    return slot
  })
}

/** A graph with a free first dimension takes any number of rows; others are called as they are. */
function isBatched({ signature }: ServedVersion): boolean {
  const [input] = signature.inputs
  return (
    signature.inputs.length === 1 &&
    input?.datatype === 'FP32' &&
    [...signature.inputs, ...signature.outputs].every(({ shape }) => shape[0] === -1)
  )
}

function unloadable({ endpoint }: ServedEndpoint, reason: string, version?: string) {
  const details = version === undefined ? {} : { details: { version } }
  return inferenceFailure('version_unloadable', `Endpoint ${endpoint}: ${reason}`, details)
}
