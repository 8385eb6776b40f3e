import { sql } from 'kysely'
import type { Actor } from '#platform/actor.ts'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { typedParam, wrongParam } from './plan-steps.ts'
import { requirePipeline } from './queries.ts'
import { type PipelineRow, pipelinesFailure } from './tables.ts'

export const startRun = handle(contract.startRun, async (ctx, { pipeline: name, params: given, reason }) => {
  const pipeline = await requirePipeline(ctx.db, name)
  const params = resolveParams(name, pipeline.spec, given)
  const run = ctx.ids.next()
  const job = await ctx.startJob('run-pipeline', { run })
  await sql`
    insert into pipelines.run (workspace, id, pipeline, spec, pipeline_digest, params, reason, actor, job, state, created_at)
    values (${ctx.workspace}, ${run}, ${name}, ${JSON.stringify(pipeline.spec)}::jsonb, ${pipeline.digest},
            ${JSON.stringify(params)}::jsonb, ${reason}, ${JSON.stringify(actsFor(ctx.actor, pipeline))}::jsonb, ${job},
            'queued', ${ctx.clock.iso()})
  `.execute(ctx.db)
  await sql`
    insert into pipelines.step (workspace, run, step, position, pipeline, state)
    select ${ctx.workspace}::uuid, ${run}::uuid, step, position, ${name}, 'pending'
    from unnest(${pipeline.spec.steps.map((step) => step.name)}::text[]) with ordinality as declared (step, position)
  `.execute(ctx.db)
  ctx.entry.subject('run', run)
  ctx.entry.subject('pipeline', name)
  ctx.entry.input('pipeline', name)
  if (pipeline.spec.code !== undefined) ctx.entry.input('object', pipeline.spec.code.digest)
  ctx.entry.output('run', run)
  ctx.entry.facts({ pipelineDigest: pipeline.digest, params, job })
  return { run, job, pipeline: name }
})

/** What Pave starts by itself acts for whoever declared the pipeline: steps are theirs, and get no more than their rights. */
function actsFor(actor: Actor, pipeline: PipelineRow): Actor {
  return actor.kind === 'system' ? pipeline.declared_by : actor
}

function resolveParams(
  pipeline: string,
  spec: contract.PipelineSpec,
  given: Record<string, contract.ParamValue>,
): Record<string, contract.ParamValue> {
  const problems: { pointer: string; message: string }[] = []
  const params: Record<string, contract.ParamValue> = {}
  for (const name of Object.keys(given)) {
    if (spec.params[name] === undefined) {
      const known = Object.keys(spec.params).join(', ') || 'none'
      problems.push({ pointer: `/params/${name}`, message: `there is no param ${name} (there are ${known})` })
    }
  }
  for (const [name, param] of Object.entries(spec.params)) {
    const value = given[name] ?? param.default
    const wrong = value === undefined ? undefined : wrongParam(param, value)
    const typed = value === undefined || wrong !== undefined ? undefined : typedParam(param.type, value)
    if (typed !== undefined) params[name] = typed
    else if (value === undefined) problems.push({ pointer: `/params/${name}`, message: `param ${name} has no value` })
    else problems.push({ pointer: `/params/${name}`, message: `param ${name} is ${wrong}` })
  }
  if (problems.length > 0) {
    const messages = problems.map((problem) => problem.message).join('; ')
    throw pipelinesFailure('params_invalid', `Pipeline ${pipeline}: ${messages}`, { problems })
  }
  return params
}
