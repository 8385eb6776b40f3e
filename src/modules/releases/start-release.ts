import { sql } from 'kysely'
import { compiledService } from '#modules/feature-store/queries.ts'
import { endpointWatermark } from '#modules/predictions/queries.ts'
import type { Version } from '#modules/registry/contract.ts'
import { graphOf, resolveVersion } from '#modules/registry/queries.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import type { AdmissionVoice } from '#platform/module.ts'
import { publishServingPlan } from './build-plan.ts'
import * as contract from './contract.ts'
import { firstStage } from './strategy.ts'
import { findEndpoint, findRelease, releaseOf, releasesFailure, runningRelease } from './tables.ts'

export const startRelease = handle(
  contract.startRelease,
  async (ctx, { environment, endpoint: name, version: ref, note }) => {
    const endpoint = await findEndpoint(ctx.db, environment, name, true)
    const version = await resolveVersion(ctx.db, ref)
    await checkFit(ctx, endpoint.spec, version)
    if (endpoint.version === version.ref) {
      throw releasesFailure('version_already_serving', `${version.ref} serves ${environment}/${name} already`)
    }
    const running = await runningRelease(ctx.db, environment, name)
    if (running !== undefined) {
      throw releasesFailure('release_in_progress', `${running.version} is being released to ${environment}/${name}`)
    }
    const id = ctx.ids.next()
    const { strategy } = endpoint.spec
    const stage = firstStage(strategy, endpoint.version)
    const now = ctx.clock.iso()
    const history = [{ at: now, state: stage.state, weight: stage.weight, rows: 0, verdicts: [] }]
    await sql`
    insert into releases.release
      (workspace, id, environment, endpoint, version, previous, state, step, weight, strategy, watermark, started_by,
       started_at, ended_at, note, history)
    values (${ctx.workspace}, ${id}, ${environment}, ${name}, ${version.ref}, ${endpoint.version}, ${stage.state},
            ${stage.step}, ${stage.weight}, ${JSON.stringify(strategy)}::jsonb,
            ${await endpointWatermark(ctx.db, environment, name)}, ${ctx.actor.onBehalfOf ?? ctx.actor.id}, ${now},
            ${stage.state === 'completed' ? now : null}, ${note}, ${JSON.stringify(history)}::jsonb)
  `.execute(ctx.db)
    if (stage.state === 'completed') {
      await sql`
      update releases.endpoint set version = ${version.ref}, release = ${id} where environment = ${environment} and name = ${name}
    `.execute(ctx.db)
    }
    ctx.entry.subject('release', id)
    ctx.entry.subject('endpoint', `${environment}/${name}`)
    ctx.entry.subject('version', version.ref)
    ctx.entry.input('version', version.ref)
    ctx.entry.output('release', id)
    ctx.entry.facts({
      version: version.ref,
      previous: endpoint.version,
      state: stage.state,
      weight: stage.weight,
      note,
      ...(version.artifact === null && { twin: version.twin?.artifact }),
    })
    await publishServingPlan(ctx, environment)
    return releaseOf(ctx.db, await findRelease(ctx.db, id))
  },
)

/** Nobody is asked to approve what has no graph: they would not see what is going to serve. */
export const admitGraph: AdmissionVoice = async (ctx, _operation, input) => {
  const version = await resolveVersion(ctx.db, contract.startRelease.input.parse(input).version)
  if (graphOf(version) === undefined) throw withoutGraph(version)
  return { verdict: 'allow' }
}

async function checkFit(ctx: OperationContext, spec: contract.EndpointSpec, version: Version): Promise<void> {
  if (version.model !== spec.model) {
    throw releasesFailure('version_unfit', `${version.ref} is not a version of ${spec.model}`)
  }
  if (graphOf(version) === undefined) throw withoutGraph(version)
  if (spec.featureService === null) return
  const { views, onDemand } = await compiledService(ctx.db, spec.featureService)
  const provided = new Set([
    ...views.flatMap((view) => view.features.map((feature) => feature.name)),
    ...onDemand.map((feature) => feature.name),
  ])
  const missing = version.features.filter((feature) => !provided.has(feature))
  if (missing.length > 0) {
    throw releasesFailure('version_unfit', `${spec.featureService} does not provide ${missing.join(', ')}`)
  }
}

/** Says where its twin is, and what to do about it. */
function withoutGraph({ ref, twin }: Version) {
  const state =
    twin === null
      ? 'and its model was not converted to one'
      : twin.state === 'converting'
        ? 'and its model is still being converted to one'
        : `and the conversion of its model ended otherwise: ${twin.problem?.message ?? twin.state}`
  const hint =
    twin?.state === 'converting'
      ? `Wait for it: pave convert-version ${ref} --follow`
      : `Have Pave convert it: pave convert-version ${ref} --follow`
  return releasesFailure('version_without_graph', `${ref} has no ONNX graph, which is what nodes serve, ${state}`, {
    hint,
  })
}
