import { sql } from 'kysely'
import { OnnxError, readGraph } from '#algorithms/onnx/read-graph.ts'
import { compareSignature } from '#algorithms/tensors/signature.ts'
import type { OperationContext } from '#platform/context.ts'
import { objectsMissing, workspaceHasObject } from '#platform/storage/objects/workspace-objects.ts'
import type * as contract from './contract.ts'
import { resolveVersion } from './queries.ts'
import { readFileTree } from './read-files.ts'
import { identityOf, registryFailure, type VersionContent } from './tables.ts'

const largestGraph = 2 * 1024 ** 3

/** What is registered, and where it stands when that is not simply next. */
export interface NewVersion {
  model: string
  tags: Record<string, string>
  content: VersionContent
  number?: number
  registeredAt?: string
}

/**
 * A version is its content: registering the same content again answers the version that is there. The graph is read
 * before anything is stored, so nothing registers that could not be served.
 */
export async function enterVersion(ctx: OperationContext, wanted: NewVersion): Promise<contract.Version> {
  const { model, tags, content, registeredAt = ctx.clock.iso() } = wanted
  await checkFiles(ctx, content)
  if (content.artifact !== null) {
    await checkGraph(ctx, content.artifact, content)
    checkFeatures(content)
  }
  const digest = identityOf(model, content, tags)
  const author = ctx.actor.onBehalfOf ?? ctx.actor.id

  // The model's row is locked, so that two registrations at once get two numbers.
  const { rows } = await sql<{ last_version: number }>`
    select last_version from registry.model where name = ${model} and removed_at is null for update
  `.execute(ctx.db)
  const last = rows[0]?.last_version
  if (last === undefined) throw registryFailure('model_not_found', `There is no model ${model}`)
  const same = await sql<{ version: number }>`
    select version from registry.version where model = ${model} and digest = ${digest}
  `.execute(ctx.db)
  const version = same.rows[0]?.version ?? wanted.number ?? last + 1
  if (wanted.number !== undefined && version !== wanted.number) {
    throw registryFailure('version_taken', `What would be ${model}@${wanted.number} is ${model}@${version} already`)
  }
  const ref = `${model}@${version}`
  if (same.rows[0] === undefined) {
    await sql`
      insert into registry.version (workspace, model, version, digest, content, author, registered_at)
      values (${ctx.workspace}, ${model}, ${version}, ${digest}, ${JSON.stringify(content)}::jsonb, ${author}, ${registeredAt})
    `.execute(ctx.db)
    await sql`
      update registry.model set last_version = greatest(last_version, ${version}), changed_at = ${ctx.clock.iso()} where name = ${model}
    `.execute(ctx.db)
  }
  if (same.rows[0] === undefined && Object.keys(tags).length > 0) {
    await sql`
      insert into registry.version_state (workspace, model, version, tags, changed_at)
      values (${ctx.workspace}, ${model}, ${version}, ${JSON.stringify(tags)}::jsonb, ${ctx.clock.iso()})
    `.execute(ctx.db)
  }
  if (same.rows[0] !== undefined) {
    await sql`
      update registry.version_state set removed_at = null, changed_at = ${ctx.clock.iso()}
      where model = ${model} and version = ${version} and removed_at is not null
    `.execute(ctx.db)
  }
  enterLineage(ctx, ref, model, content)
  ctx.entry.after({ digest })
  ctx.entry.facts({ digest, metrics: content.metrics, alreadyRegistered: same.rows[0] !== undefined })
  return resolveVersion(ctx.db, ref)
}

async function checkFiles(ctx: OperationContext, content: VersionContent): Promise<void> {
  for (const digest of [content.artifact, content.code, content.files]) {
    if (digest !== null && !(await workspaceHasObject(ctx.db, ctx.workspace, digest))) {
      throw registryFailure('artifact_not_found', `The workspace has no object ${digest}`)
    }
  }
  if (content.files === null) return
  const files = await readFileTree(ctx.services.objects, content.files)
  const digests = [...new Set(files.map((file) => file.digest))]
  const [missing] = await objectsMissing(ctx.db, ctx.workspace, digests)
  if (missing !== undefined) throw registryFailure('files_invalid', `The workspace has no object ${missing}`)
}

async function checkGraph(ctx: OperationContext, artifact: string, content: VersionContent): Promise<void> {
  const bytes = await ctx.services.objects.read(artifact, { maxBytes: largestGraph })
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
  for (const digest of [content.artifact, content.files]) if (digest !== null) ctx.entry.input('object', digest)
  if (content.run !== null) ctx.entry.input('run', content.run)
  if (content.loggedModel !== null) ctx.entry.input('logged-model', content.loggedModel)
  if (content.trainingSet !== null) ctx.entry.input('training-set', content.trainingSet)
  if (content.code !== null) ctx.entry.input('object', content.code)
  for (const dataset of content.datasets) ctx.entry.input('dataset-version', dataset)
}
