import { durationMs } from '#platform/names.ts'
import type { PipelineSpec, Step } from './contract.ts'
import { type Reference, referencesIn } from './templates.ts'

/** A step as it is carried out. */
export interface PlannedStep {
  name: string
  step: Step
  work: Work
  /** Steps that must be done before it begins. */
  needs: ReadonlySet<string>
  timeoutMs: number
  backoffMs: number
}

type Work =
  | { kind: 'command'; command: string | string[] }
  | { kind: 'job'; operation: string }
  | { kind: 'operation'; operation: string }

export interface Problem {
  pointer: string
  message: string
}

const longestTimeoutMs = 11 * 3_600_000

/** What to carry out, in the order declared; only for a spec in which `findProblems` finds nothing. */
export function planSteps(spec: PipelineSpec): PlannedStep[] {
  return spec.steps.map((step) => {
    const work = workOf(step)
    if (work === undefined) throw new TypeError(`Step ${step.name} is none of command, job and operation`)
    return {
      name: step.name,
      step,
      work,
      needs: needsOf(step),
      timeoutMs: durationMs(step.timeout),
      backoffMs: durationMs(step.backoff),
    }
  })
}

/** Names of a step's outputs. */
export function outputNames(step: Step): string[] {
  return Array.isArray(step.outputs) ? step.outputs : Object.keys(step.outputs)
}

/** Everything that does not fit together, all at once. Cycles are found by `findCycle`. */
export function findProblems(spec: PipelineSpec): Problem[] {
  const steps = new Map(spec.steps.map((step) => [step.name, step]))
  const problems: Problem[] = []
  if (steps.size < spec.steps.length) {
    const twice = spec.steps.find((step, index) => spec.steps.findIndex((other) => other.name === step.name) < index)
    problems.push({ pointer: '/spec/steps', message: `two steps are named ${twice?.name}` })
  }
  for (const [name, param] of Object.entries(spec.params)) {
    const wrong = param.default === undefined ? undefined : wrongParam(param, param.default)
    if (wrong !== undefined)
      problems.push({ pointer: `/spec/params/${name}/default`, message: `the default is ${wrong}` })
    if (param.values !== undefined && param.type !== 'string')
      problems.push({ pointer: `/spec/params/${name}/values`, message: 'only a param of type string lists its values' })
  }
  spec.steps.forEach((step, index) => {
    const at = (field: string, message: string) =>
      problems.push({ pointer: `/spec/steps/${index}/${field}`, message: `step ${step.name}: ${message}` })
    checkWork(step, at)
    checkEnvironment(step, spec, at)
    for (const { pointer, text, reference } of stepReferences(step)) {
      const wrong = reference === undefined ? `${text} means nothing here` : wrongReference(reference, steps, spec)
      if (wrong !== undefined) at(pointer, wrong)
    }
    for (const name of step.after) if (!steps.has(name)) at('after', `there is no step ${name}`)
    for (const name of step.params) if (spec.params[name] === undefined) at('params', `there is no param ${name}`)
  })
  return problems
}

/** Steps that wait for each other, the first one repeated at the end; undefined when some order works. */
export function findCycle(spec: PipelineSpec): string[] | undefined {
  const needs = new Map(spec.steps.map((step) => [step.name, needsOf(step)]))
  const finished = new Set<string>()
  for (const start of needs.keys()) {
    const trail: { name: string; left: string[] }[] = [{ name: start, left: [...(needs.get(start) ?? [])] }]
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const next = finished.has(top.name) ? undefined : top.left.pop()
      if (next === undefined) {
        finished.add(top.name)
        trail.pop()
        continue
      }
      const from = trail.findIndex((one) => one.name === next)
      if (from >= 0) {
        // The trail runs from a step to what it waits for; people read it the way that work flows.
        const loop = trail.slice(from).map((one) => one.name)
        return [next, ...loop.reverse()]
      }
      trail.push({ name: next, left: [...(needs.get(next) ?? [])] })
    }
  }
  return undefined
}

/** The value in the type of its param, or undefined when it does not fit. Timestamps become instants in UTC. */
export function typedParam(
  type: PipelineSpec['params'][string]['type'],
  value: string | number | boolean,
): string | number | boolean | undefined {
  if (type === 'string') return typeof value === 'string' ? value : undefined
  if (type === 'bool') return typeof value === 'boolean' ? value : undefined
  if (type === 'timestamp') return typeof value === 'string' ? instantOf(value) : undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return type === 'double' || Number.isSafeInteger(value) ? value : undefined
}

/** Why the value does not fit its param; undefined when it does. */
export function wrongParam(
  { type, values }: PipelineSpec['params'][string],
  value: string | number | boolean,
): string | undefined {
  if (typedParam(type, value) === undefined) return `not of type ${type}: ${value}`
  if (values === undefined || values.some((one) => one === value)) return undefined
  return `none of ${values.join(', ')}: ${value}`
}

function instantOf(text: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}

function workOf({ run, job, operation }: Step): Work | undefined {
  if (run !== undefined) return { kind: 'command', command: run }
  if (job !== undefined) return { kind: 'job', operation: job }
  if (operation !== undefined) return { kind: 'operation', operation }
  return undefined
}

function checkWork(step: Step, at: Complain): void {
  const given = [step.run, step.job, step.operation].filter((one) => one !== undefined)
  if (given.length !== 1) at('run', 'give exactly one of run, job and operation')
  if (durationMs(step.timeout) > longestTimeoutMs || durationMs(step.timeout) === 0)
    at('timeout', 'a timeout is at most 11 hours, and not nothing')
  const isCommand = step.run !== undefined
  if (isCommand && Object.keys(step.with).length > 0) at('with', 'a command takes inputs and params, not with')
  if (isCommand && !Array.isArray(step.outputs)) at('outputs', 'the outputs of a command are a list of names')
  if (!isCommand && Array.isArray(step.outputs) && step.outputs.length > 0)
    at('outputs', 'say for each output which field of the result is its digest, as {data: object}')
  if (!isCommand && step.params.length > 0) at('params', 'a job or operation gets its params by templates in with')
  for (const [name, ref] of Object.entries(step.inputs)) {
    if (isCommand && !ref.startsWith('steps.'))
      at(`inputs/${name}`, `a command cannot read ${ref}; let a job export it`)
  }
  const names = outputNames(step)
  if (new Set(names).size < names.length) at('outputs', 'an output is named twice')
}

type Complain = (field: string, message: string) => void

function checkEnvironment(step: Step, { steps, code }: PipelineSpec, at: Complain): void {
  const { environment, files } = step
  if (environment !== undefined) {
    const maker = steps.find(({ name }) => name === environment)
    if (maker === undefined) at('environment', `there is no step ${environment}`)
    else if (maker.makes === undefined) at('environment', `step ${environment} does not say makes: environment`)
    if (step.run === undefined) at('environment', 'only a command runs in an environment')
  }
  if (step.makes === undefined) {
    if (files !== undefined) at('files', 'only a step that makes an environment names files')
    return
  }
  if (step.run === undefined) at('makes', 'only a command makes an environment')
  if (environment !== undefined) at('environment', 'an environment is not made in another one')
  if (outputNames(step).length > 0 || Object.keys(step.inputs).length > 0)
    at('makes', 'a step that makes an environment has no inputs and no outputs')
  if (!step.cache) at('cache', 'an environment is made once; change its command or files to make another')
  if (files !== undefined && files.length > 0 && code === undefined) at('files', 'the pipeline has no code')
}

function needsOf(step: Step): Set<string> {
  const taken = stepReferences(step).flatMap(({ reference }) =>
    reference?.kind === 'output' || reference?.kind === 'result' ? [reference.step] : [],
  )
  return new Set([...step.after, ...taken, ...(step.environment === undefined ? [] : [step.environment])])
}

/** References of inputs and templates; those to datasets and feature services are none of these. */
export function stepReferences(step: Step) {
  const inputs = Object.entries(step.inputs).flatMap(([name, ref]) =>
    ref.startsWith('steps.') ? referencesIn({ $digest: ref }, `inputs/${name}`) : [],
  )
  return [...inputs, ...referencesIn(step.with, 'with')]
}

function wrongReference(
  reference: Reference,
  steps: ReadonlyMap<string, Step>,
  spec: PipelineSpec,
): string | undefined {
  if (reference.kind === 'param') {
    return spec.params[reference.name] === undefined ? `there is no param ${reference.name}` : undefined
  }
  if (reference.kind === 'pipeline' && reference.field === 'code' && spec.code === undefined) {
    return 'the pipeline has no code'
  }
  if (reference.kind === 'run' || reference.kind === 'pipeline') return undefined
  const other = steps.get(reference.step)
  if (other === undefined) return `there is no step ${reference.step}`
  if (reference.kind === 'result') {
    return other.run === undefined ? undefined : `${other.name} is a command, which has outputs and no result`
  }
  if (outputNames(other).includes(reference.output)) return undefined
  const known = outputNames(other).join(', ') || 'none'
  return `step ${other.name} has no output ${reference.output} (it has ${known})`
}
