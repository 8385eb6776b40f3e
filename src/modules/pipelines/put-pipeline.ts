import { sql } from 'kysely'
import { canonicalJson } from '#platform/canonical-json.ts'
import { pickFromBundle } from '#platform/compute/bundle.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import { PaveError } from '#platform/errors.ts'
import { digestOf } from '#platform/ids.ts'
import { workspaceHasObject } from '#platform/storage/objects/workspace-objects.ts'
import * as contract from './contract.ts'
import { findCycle, findProblems } from './plan-steps.ts'
import { findPipeline } from './queries.ts'
import { type PipelineRow, pipelineOf, pipelinesFailure } from './tables.ts'

const longestCode = 320 * 1024 * 1024

/** Runs in progress keep the declaration that they began with. */
export const putPipeline = handle(contract.putPipeline, async (ctx, { pipeline, spec }) => {
  requireSound(pipeline, spec)
  const before = await findPipeline(ctx.db, pipeline)
  ctx.requireMatch(before?.spec)
  if (spec.code !== undefined) {
    await requireCode(ctx, spec.code)
    await requireFiles(ctx, pipeline, spec, spec.code.digest)
    ctx.entry.input('object', spec.code.digest)
  }
  const digest = digestOf(canonicalJson(spec))
  const { rows } = await sql<PipelineRow>`
    insert into pipelines.pipeline (workspace, name, spec, digest, declared_by, updated_at)
    values (${ctx.workspace}, ${pipeline}, ${JSON.stringify(spec)}::jsonb, ${digest},
            ${JSON.stringify(ctx.actor)}::jsonb, ${ctx.clock.iso()})
    on conflict (workspace, name) do update
      set spec = excluded.spec, digest = excluded.digest, declared_by = excluded.declared_by, updated_at = excluded.updated_at
      where pipelines.pipeline.digest <> excluded.digest
    returning name, spec, digest, declared_by, updated_at
  `.execute(ctx.db)
  const after = rows[0] ?? before
  if (after === undefined) throw new Error('an upsert of what was not there answers its row')
  ctx.entry.subject('pipeline', pipeline)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ digest })
  return pipelineOf(after)
})

function requireSound(pipeline: string, spec: contract.PipelineSpec): void {
  const problems = findProblems(spec)
  if (problems.length > 0) {
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    throw pipelinesFailure('pipeline_invalid', `Pipeline ${pipeline}: ${problems[0]?.message}${more}`, { problems })
  }
  const cycle = findCycle(spec)
  if (cycle !== undefined) {
    throw pipelinesFailure('pipeline_cycle', `Pipeline ${pipeline} has a cycle: ${cycle.join(' → ')}`, {
      details: { cycle },
    })
  }
}

async function requireCode(ctx: OperationContext, { digest, name }: { digest: string; name?: string | undefined }) {
  if (!(await workspaceHasObject(ctx.db, ctx.workspace, digest)) || !(await ctx.services.objects.has(digest))) {
    throw pipelinesFailure('code_not_found', `The code ${name ?? digest} was not uploaded to this workspace`)
  }
}

/** Those that environments are made from must be in the code. */
async function requireFiles(ctx: OperationContext, pipeline: string, { steps }: contract.PipelineSpec, code: string) {
  if (steps.every(({ files }) => files === undefined)) return
  const bundle = await ctx.services.objects.read(code, { maxBytes: longestCode })
  for (const [index, { name, files = [] }] of steps.entries()) {
    try {
      pickFromBundle(bundle, files)
    } catch (error) {
      if (!(error instanceof PaveError)) throw error
      const problems = [{ pointer: `/spec/steps/${index}/files`, message: `step ${name}: ${error.message}` }]
      throw pipelinesFailure('pipeline_invalid', `Pipeline ${pipeline}: step ${name}: ${error.message}`, { problems })
    }
  }
}
