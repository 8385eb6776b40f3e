import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import { convertible, type OnnxTwin, type Version } from './contract.ts'
import { requireModel, resolveVersion } from './queries.ts'
import { releaseTwins } from './release-twins.ts'
import { registryFailure } from './tables.ts'
import * as contract from './twin-contract.ts'

/** A twin that is ready never changes, since it may serve; one that failed may be tried again. */
export const convertVersion = handle(contract.convertVersion, async (ctx, { version: wanted, tolerance }) => {
  const { model } = await resolveVersion(ctx.db, wanted)
  // Two who ask at once get one conversion.
  await requireModel(ctx.db, model, true)
  const version = await resolveVersion(ctx.db, wanted)
  const { ref, twin } = version
  const flavor = flavorOf(version)
  ctx.entry.subject('version', ref)
  ctx.entry.input('version', ref)
  const difference = twin?.report?.difference ?? 0
  if (twin?.state === 'ready' && difference > tolerance) {
    throw registryFailure('twin_differs', `${ref} has its ONNX twin, which differs by ${difference} and stays as it is`)
  }
  if (twin?.state === 'ready' || twin?.state === 'converting') {
    ctx.entry.facts({ job: twin.job, state: twin.state })
    return { version: ref, job: twin.job, twin }
  }
  const job = await ctx.startJob('convert-version', { version: ref })
  const asked = await enterTwin(ctx, version, newTwin(ctx, { job, flavor, tolerance }))
  ctx.entry.facts({ job, flavor, tolerance })
  return { version: ref, job, twin: asked }
})

function flavorOf({ ref, artifact, files, flavors }: Version): OnnxTwin['flavor'] {
  if (artifact !== null)
    throw registryFailure('version_has_graph', `${ref} serves by the graph that it was registered with`)
  const flavor = convertible.find((one) => flavors.includes(one))
  if (flavor !== undefined && files !== null) return flavor
  const has = files === null ? 'no files' : `the flavours ${flavors.join(', ') || 'of none'}`
  throw registryFailure('conversion_unsupported', `${ref} has ${has}, and not one of ${convertible.join(', ')}`)
}

function newTwin(ctx: OperationContext, asked: Pick<OnnxTwin, 'job' | 'flavor' | 'tolerance'>): OnnxTwin {
  return {
    state: 'converting',
    ...asked,
    askedBy: ctx.actor.onBehalfOf ?? ctx.actor.id,
    askedAt: ctx.clock.iso(),
    endedAt: null,
    artifact: null,
    size: null,
    signature: null,
    output: null,
    report: null,
    problem: null,
    log: null,
  }
}

async function enterTwin(ctx: OperationContext, { model, version }: Version, twin: OnnxTwin): Promise<OnnxTwin> {
  await releaseTwins(ctx, model, version)
  await sql`
    insert into registry.onnx_twin (workspace, model, version, job, state, content)
    values (${ctx.workspace}, ${model}, ${version}, ${twin.job}, ${twin.state}, ${JSON.stringify(twin)}::jsonb)
  `.execute(ctx.db)
  return twin
}
