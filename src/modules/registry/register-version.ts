import { sql } from 'kysely'
import { OnnxError, readGraph } from '#algorithms/onnx/read-graph.ts'
import { compareSignature } from '#algorithms/tensors/signature.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import { digestOf } from '#platform/ids.ts'
import { workspaceHasObject } from '#platform/storage/objects/workspace-objects.ts'
import * as contract from './contract.ts'
import { resolveVersion } from './queries.ts'
import { registryFailure, type VersionContent } from './tables.ts'

const largestGraph = 2 * 1024 ** 3

/**
 * A version is its content: registering the same content again answers the version that is there. The graph is read
 * before anything is stored, so nothing registers that could not be served.
 */
export const registerVersion = handle(contract.registerVersion, async (ctx, { model, ...given }) => {
  const content: VersionContent = { ...given, output: given.output ?? given.signature.outputs[0]?.name ?? '' }
  await checkGraph(ctx, content)
  checkFeatures(content)
  const digest = digestOf(canonicalJson({ model, ...content, note: undefined, run: undefined }))
  const author = ctx.actor.onBehalfOf ?? ctx.actor.id

  // The model's row is locked, so that two registrations at once get two numbers.
  const { rows } = await sql<{ last_version: number }>`
    select last_version from registry.model where name = ${model} for update
  `.execute(ctx.db)
  const last = rows[0]?.last_version
  if (last === undefined) throw registryFailure('model_not_found', `There is no model ${model}`)
  const same = await sql<{ version: number }>`
    select version from registry.version where model = ${model} and digest = ${digest}
  `.execute(ctx.db)
  const version = same.rows[0]?.version ?? last + 1
  const ref = `${model}@${version}`
  if (same.rows[0] === undefined) {
    await sql`
      insert into registry.version (workspace, model, version, digest, content, author, registered_at)
      values (${ctx.workspace}, ${model}, ${version}, ${digest}, ${JSON.stringify(content)}::jsonb, ${author}, ${ctx.clock.iso()})
    `.execute(ctx.db)
    await sql`
      update registry.model set last_version = ${version}, changed_at = ${ctx.clock.iso()} where name = ${model}
    `.execute(ctx.db)
  }
  enterLineage(ctx, ref, model, content)
  ctx.entry.after({ digest })
  ctx.entry.facts({ digest, metrics: content.metrics, alreadyRegistered: same.rows[0] !== undefined })
  return resolveVersion(ctx.db, ref)
})

async function checkGraph(ctx: OperationContext, content: VersionContent): Promise<void> {
  for (const digest of [content.artifact, content.code]) {
    if (digest !== null && !(await workspaceHasObject(ctx.db, ctx.workspace, digest))) {
      throw registryFailure('artifact_not_found', `The workspace has no object ${digest}`)
    }
  }
  const bytes = await ctx.services.objects.read(content.artifact, { maxBytes: largestGraph })
  const differences = graphDifferences(bytes, content.signature)
  if (differences.length > 0) {
    throw registryFailure('signature_mismatch', `The graph differs from the signature: ${differences.join('; ')}`, {
      details: { differences },
    })
  }
}

function graphDifferences(bytes: Uint8Array, signature: contract.Signature): string[] {
  try {
    return compareSignature(signature, readGraph(bytes))
  } catch (error) {
    if (error instanceof OnnxError) throw registryFailure('onnx_invalid', error.message, { cause: error })
    throw error
  }
}

function checkFeatures({ features, signature, profile, output }: VersionContent): void {
  if (!signature.outputs.some((tensor) => tensor.name === output)) {
    throw registryFailure('signature_mismatch', `The signature has no output ${output}`)
  }
  if (features.length === 0) return
  const columns = signature.inputs[0]?.shape.at(-1)
  if (signature.inputs.length !== 1 || (columns !== -1 && columns !== features.length)) {
    throw registryFailure(
      'features_mismatch',
      `${features.length} features do not fill the input ${signature.inputs.map((tensor) => `${tensor.name} [${tensor.shape.join(', ')}]`).join(', ')}`,
    )
  }
  const profiled = new Set(profile.map((one) => one.name))
  const missing = features.filter((feature) => !profiled.has(feature))
  if (profile.length > 0 && missing.length > 0) {
    throw registryFailure('features_mismatch', `The profile lacks ${missing.join(', ')}`)
  }
}

function enterLineage(ctx: OperationContext, ref: string, model: string, content: VersionContent): void {
  ctx.entry.subject('version', ref)
  ctx.entry.subject('model', model)
  ctx.entry.output('version', ref)
  ctx.entry.input('object', content.artifact)
  if (content.run !== null) ctx.entry.input('run', content.run)
  if (content.trainingSet !== null) ctx.entry.input('training-set', content.trainingSet)
  if (content.code !== null) ctx.entry.input('object', content.code)
  for (const dataset of content.datasets) ctx.entry.input('dataset-version', dataset)
}
