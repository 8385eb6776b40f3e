import type { Artifact, FollowedStep, PipelineSpec, PlannedStep } from './contract.ts'
import { planSteps } from './plan-steps.ts'
import { type StepRow, stepRunOf } from './tables.ts'
import { parseReference } from './templates.ts'

/** The graph of a pipeline's steps, in the order declared. */
export function describePlan(spec: PipelineSpec): PlannedStep[] {
  return planSteps(spec).map(({ name, work, needs }) => ({
    step: name,
    kind: work.kind,
    does:
      work.kind !== 'command'
        ? work.operation
        : typeof work.command === 'string'
          ? work.command
          : work.command.join(' '),
    needs: [...needs],
  }))
}

/** What was declared of each step, beside what became of it. */
export function followSteps(spec: PipelineSpec, rows: readonly StepRow[]): FollowedStep[] {
  const planned = new Map(describePlan(spec).map((plan) => [plan.step, plan]))
  const declared = new Map(spec.steps.map((step) => [step.name, step]))
  const outputs = new Map(rows.map((row) => [row.step, row.outputs]))
  return rows.flatMap((row) => {
    const plan = planned.get(row.step)
    const step = declared.get(row.step)
    if (plan === undefined || step === undefined) return []
    const inputs = Object.entries(step.inputs).map(([name, from]) => {
      const artifact = artifactOf(from, outputs)
      return { name, from, digest: artifact?.digest ?? null, directory: artifact?.directory ?? false }
    })
    const artifacts = Object.entries(row.outputs).map(([name, artifact]) => ({ name, ...artifact }))
    const { resources, retries, timeout } = step
    return [{ ...stepRunOf(row), ...plan, inputs, artifacts, resources, retries, timeout }]
  })
}

function artifactOf(ref: string, outputs: ReadonlyMap<string, Record<string, Artifact>>): Artifact | undefined {
  const reference = parseReference(ref)
  return reference?.kind === 'output' ? outputs.get(reference.step)?.[reference.output] : undefined
}
