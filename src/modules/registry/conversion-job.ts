import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import type { PaveError } from '#platform/errors.ts'
import { defineJob, type JobContext } from '#platform/job.ts'
import { VersionRef } from '#platform/names.ts'
import { errors, type OnnxTwin, type Version } from './contract.ts'
import { resolveVersion } from './queries.ts'
import { attemptsOf, type ConversionEnd, endsWork, runConversion } from './run-conversion.ts'
import { registryFailure } from './tables.ts'
import { finishConversion } from './twin-contract.ts'

/** Carries a conversion out, or on: it ends as `done` only when the twin is ready. */
export const conversionJob = defineJob({
  name: 'convert-version',
  input: z.object({ version: VersionRef }),
  retries: 5,
  timeoutMs: 3 * 3_600_000,
  concurrency: 1,
  async run(ctx, { version: ref }) {
    const version = await ctx.read((db) => resolveVersion(db, ref))
    if (version.twin?.job !== ctx.jobId)
      throw registryFailure('conversion_moved_on', `${ref} is no longer converted by this job`)
    const twin = version.twin.state === 'converting' ? await carryOut(ctx, version, version.twin) : version.twin
    for (const attempt of Object.values(attemptsOf(ctx.jobId))) await ctx.services.compute.discard(attempt)
    if (twin.state !== 'ready') throw asFailure(ref, twin)
    return { version: ref, artifact: twin.artifact, difference: twin.report?.difference, samples: twin.report?.samples }
  },
})

async function carryOut(ctx: JobContext, version: Version, twin: OnnxTwin): Promise<OnnxTwin> {
  const finish = (end: ConversionEnd) =>
    ctx.platform.run(finishConversion, {
      actor: { ...systemActor(ctx.workspace), onBehalfOf: ctx.actor.id },
      input: { version: version.ref, job: ctx.jobId, ...end },
    })
  try {
    return await finish(await runConversion(ctx, version, twin))
  } catch (error) {
    const reason = ctx.signal.aborted ? ctx.signal.reason : error
    // What is wrong with Pave itself is not the model's: whoever carries this on takes it up where it is.
    if (!endsWork(reason) || (reason.status >= 500 && !ctx.signal.aborted)) throw reason
    const ended = await finish({ artifact: null, report: null, problem: problemOf(reason), log: null })
    if (!ctx.signal.aborted) return ended
    for (const attempt of Object.values(attemptsOf(ctx.jobId))) await ctx.services.compute.discard(attempt)
    throw reason
  }
}

function problemOf({ code, message }: PaveError) {
  return { code, message: message.slice(0, 4000), lines: [] }
}

function asFailure(ref: string, { problem }: OnnxTwin): PaveError {
  const { code, message } = problem ?? { code: 'conversion_failed', message: 'It ended without a reason' }
  const said = `${ref}: ${message}`
  const known = Object.keys(errors).find((one): one is keyof typeof errors => one === code)
  return registryFailure(known ?? 'conversion_failed', said, { details: { problem } })
}
