import { z } from 'zod'
import { findDataset } from '#modules/datasets/queries.ts'
import { compiledService } from '#modules/feature-store/queries.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { digestOf } from '#platform/ids.ts'
import type { Artifact } from './contract.ts'
import { type Drive, patiently } from './drive.ts'
import { outputNames, type PlannedStep, stepReferences } from './plan-steps.ts'
import type { Recipe } from './recipe.ts'
import { type DeclaredEnvironment, environmentOf, paramsOf } from './step-environment.ts'
import { pipelinesFailure } from './tables.ts'
import { fillTemplates, parseReference } from './templates.ts'

const longestJson = 16 * 1024 * 1024
const NamesDatasetVersion = z.object({ dataset: z.string().max(200), version: z.int() })

/** What a step begins with. */
export interface PreparedStep {
  /** Outputs of other steps that it reads as files. */
  inputs: Record<string, Artifact>
  /** Of a job or operation. */
  with: unknown
  params: Drive['run']['params']
  /** Bundle of what a command finds in its working directory. */
  code: () => Promise<Uint8Array>
  environment: { key: string; access: 'make' | 'use' } | undefined
  recipe: Recipe | null
  /** Why the cache is not asked. */
  always: string | null
  /** Lineage. */
  uses: { kind: string; id: string }[]
}

/** @throws `reference_unresolved`, `dataset_not_found`, `feature_service_not_found`, `invalid_bundle` */
export async function prepareStep(drive: Drive, planned: PlannedStep): Promise<PreparedStep> {
  const { step, work } = planned
  const { spec } = drive.run
  const inputs: Record<string, Artifact> = {}
  const digests: Record<string, string> = {}
  for (const [name, ref] of Object.entries(step.inputs)) {
    const reference = parseReference(ref)
    if (reference?.kind === 'output') {
      const artifact = outputOf(drive, reference.step, reference.output)
      inputs[name] = artifact
      digests[name] = artifact.digest
    } else digests[name] = await declarationDigest(drive, ref)
  }
  const params = paramsOf(drive, planned)
  const declared = await environmentOf(drive, planned)
  if (declared !== undefined && step.makes !== undefined) return prepareMaker(drive, planned, declared)
  const filled = await fillTemplates(step.with, scopeOf(drive))
  const outputs = work.kind === 'command' ? outputNames(step).toSorted() : step.outputs
  const recipe: Recipe | null =
    work.kind === 'command'
      ? {
          code: spec.code?.digest ?? null,
          command: work.command,
          params,
          inputs: digests,
          outputs,
          ...(declared !== undefined && { environment: declared.key }),
        }
      : { [work.kind]: work.operation, with: filled, inputs: digests, outputs }
  const always = whyAlways(planned)
  return {
    inputs,
    with: filled,
    params,
    code: drive.code,
    environment: declared && { key: declared.key, access: 'use' },
    recipe: always === null || !step.cache ? recipe : null,
    always,
    uses: usesOf(drive, planned, inputs),
  }
}

/** Its directory is kept on the machine, so that only one that is there can be taken from an earlier run. */
async function prepareMaker(
  drive: Drive,
  planned: PlannedStep,
  { key, recipe, code }: DeclaredEnvironment,
): Promise<PreparedStep> {
  const { services, workspace } = drive.ctx
  const here = await services.compute.hasEnvironment(workspace, key)
  return {
    inputs: {},
    with: {},
    params: paramsOf(drive, planned),
    code: async () => code.bytes,
    environment: { key, access: 'make' },
    recipe,
    always: here ? null : 'not made on this machine yet',
    uses: usesOf(drive, planned, {}),
  }
}

/** Objects that it reads, and dataset versions that the results it refers to speak of. */
function usesOf({ run, steps }: Drive, { step, work }: PlannedStep, inputs: Record<string, Artifact>) {
  const objects = Object.values(inputs).map(({ digest }) => digest)
  if (work.kind === 'command' && run.spec.code !== undefined) objects.push(run.spec.code.digest)
  const versions = stepReferences(step).flatMap(({ reference }) => {
    if (reference?.kind !== 'result') return []
    const named = NamesDatasetVersion.safeParse(steps.get(reference.step)?.result)
    return named.success ? [`${named.data.dataset}@${named.data.version}`] : []
  })
  return [
    ...[...new Set(objects)].map((id) => ({ kind: 'object', id })),
    ...[...new Set(versions)].map((id) => ({ kind: 'dataset-version', id })),
  ]
}

function whyAlways({ step, work }: PlannedStep): string | null {
  if (work.kind === 'operation') return 'operations always run'
  if (!step.cache) return 'cache: false'
  if (work.kind === 'command' && outputNames(step).length === 0) return 'a command without outputs always runs'
  if (work.kind === 'job' && Object.keys(step.inputs).length === 0) return 'a job that declares no inputs always runs'
  return null
}

/** An output of a finished step; `reference_unresolved` when it made none of this name. */
function outputOf({ steps }: Drive, step: string, output: string): Artifact {
  const artifact = steps.get(step)?.outputs[output]
  if (artifact === undefined) throw pipelinesFailure('reference_unresolved', `Step ${step} made no output ${output}`)
  return artifact
}

function scopeOf(drive: Drive) {
  const { run, steps, ctx } = drive
  return {
    params: run.params,
    run: { id: run.id },
    pipeline: { name: run.pipeline, code: run.spec.code?.digest ?? null },
    result: (step: string) => steps.get(step)?.result,
    digest: (step: string, output: string) => outputOf(drive, step, output).digest,
    async json(digest: string): Promise<unknown> {
      const text = (await ctx.services.objects.read(digest, { maxBytes: longestJson })).toString()
      try {
        return JSON.parse(text)
      } catch (cause) {
        throw pipelinesFailure('reference_unresolved', `The output ${digest} is not JSON`, { cause })
      }
    },
  }
}

/** Of what decides what a job reads from a dataset or feature service as it is declared now. */
async function declarationDigest({ ctx }: Drive, ref: string): Promise<string> {
  const name = ref.slice(ref.indexOf(':') + 1)
  if (ref.startsWith('feature-service:')) {
    return digestOf(canonicalJson(await patiently(() => ctx.read((db) => compiledService(db, name)))))
  }
  const dataset = await patiently(() => ctx.read((db) => findDataset(db, name)))
  if (dataset === undefined) throw pipelinesFailure('reference_unresolved', `There is no dataset ${name}`)
  return digestOf(canonicalJson({ source: dataset.spec.source.digest, contract: dataset.contract_digest }))
}
