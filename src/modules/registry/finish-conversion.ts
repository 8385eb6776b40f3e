import { sql } from 'kysely'
import { OnnxError, readGraph } from '#algorithms/onnx/read-graph.ts'
import { signatureOf } from '#algorithms/tensors/signature.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import { releaseObjects } from '#platform/storage/objects/release-objects.ts'
import type { OnnxTwin, Signature, TwinReport, Version } from './contract.ts'
import { judgeTwin, largestGraph } from './judge-twin.ts'
import { resolveVersion } from './queries.ts'
import { registryFailure } from './tables.ts'
import * as contract from './twin-contract.ts'

/** Entered once: a job that is carried on after a crash gets what was entered before it. */
export const finishConversion = handle(contract.finishConversion, async (ctx, input) => {
  const { job, artifact, report, problem, log } = input
  const { rows } = await sql<{ content: OnnxTwin }>`
    select content from registry.onnx_twin where model = ${modelIn(input.version)} and job = ${job} for update
  `.execute(ctx.db)
  const before = rows[0]?.content
  if (before === undefined) {
    await letGo(ctx, [artifact, log])
    ctx.entry.facts({ job, movedOn: true })
    return null
  }
  const version = await resolveVersion(ctx.db, input.version)
  const { ref, model, version: number } = version
  ctx.entry.subject('version', ref)
  if (before.state !== 'converting') return before
  if (problem !== null) await letGo(ctx, [artifact])
  const made = problem === null ? await readTwin(ctx, version, before, artifact, report) : undefined
  const after: OnnxTwin = {
    ...before,
    ...made,
    state: problem === null ? 'ready' : problem.code === 'twin_differs' ? 'differs' : 'failed',
    endedAt: ctx.clock.iso(),
    report,
    problem,
    log,
  }
  const logSize = log === null ? 0 : ((await ctx.services.objects.stat(log))?.size ?? 0)
  await sql`
    update registry.onnx_twin
    set state = ${after.state}, content = ${JSON.stringify(after)}::jsonb, log_size = ${logSize}
    where model = ${model} and version = ${number} and job = ${job}
  `.execute(ctx.db)
  ctx.entry.input('version', ref)
  if (after.artifact !== null) ctx.entry.output('object', after.artifact)
  if (log !== null) ctx.entry.subject('object', log)
  ctx.entry.after(after)
  ctx.entry.facts({
    state: after.state,
    artifact: after.artifact,
    tolerance: before.tolerance,
    difference: report?.difference ?? null,
    samples: report?.samples ?? null,
    converter: report?.converter ?? null,
    ...(problem !== null && { problem: problem.code }),
  })
  return after
})

function modelIn(ref: string): string {
  return ref.slice(0, ref.lastIndexOf('@'))
}

/** What the conversion stored and nothing is going to refer to. */
async function letGo(ctx: OperationContext, digests: readonly (string | null)[]): Promise<void> {
  const stored = await Promise.all(
    digests.map((digest) => (digest === null ? undefined : ctx.services.objects.stat(digest))),
  )
  await releaseObjects(
    ctx,
    stored.filter((one) => one !== undefined),
  )
}

/** The graph is read before it may serve, as when a version is registered with one. */
async function readTwin(
  ctx: OperationContext,
  version: Version,
  { tolerance }: OnnxTwin,
  artifact: string | null,
  report: TwinReport | null,
) {
  const stored = artifact === null ? undefined : await ctx.services.objects.stat(artifact)
  if (artifact === null || stored === undefined || report === null) {
    throw registryFailure('artifact_not_found', `There is no graph ${artifact} for ${version.ref}`)
  }
  const verdict = judgeTwin(report, tolerance)
  if (verdict !== undefined) throw registryFailure('twin_differs', verdict.message)
  const signature = readSignature(await ctx.services.objects.read(artifact, { maxBytes: largestGraph }))
  checkColumns(version, signature, report)
  const known = signature.outputs.some(({ name }) => name === version.output)
  return { artifact, size: stored.size, signature, output: known ? version.output : report.output }
}

function readSignature(bytes: Uint8Array): Signature {
  try {
    return signatureOf(readGraph(bytes))
  } catch (error) {
    if (error instanceof OnnxError) throw registryFailure('onnx_invalid', error.message, { cause: error })
    throw error
  }
}

/** Serving feeds the features in the version's order. Names that the model does not know are the version's own for its columns. */
function checkColumns({ ref, features }: Version, { inputs }: Signature, { columns }: TwinReport): void {
  if (features.length === 0) return
  const moved = features.findIndex((name, at) => columns?.includes(name) && columns[at] !== name)
  if (moved !== -1) {
    throw registryFailure(
      'features_mismatch',
      `The features of ${ref} are not in the order of its model's columns: number ${moved + 1} is ${features[moved]}, and the model has ${columns?.[moved] ?? 'none'} there`,
    )
  }
  const width = inputs[0]?.shape.at(-1)
  if (inputs.length === 1 && (width === -1 || width === features.length)) return
  const takes = inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ')
  throw registryFailure(
    'features_mismatch',
    `The ${features.length} features of ${ref} do not fill the inputs of its twin, ${takes}`,
  )
}
