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
    let over = true
    try {
      const version = await ctx.read((db) => resolveVersion(db, ref))
      const asked = version.twin?.job === ctx.jobId ? version.twin : null
      const twin = asked?.state === 'converting' ? await carryOut(ctx, version, asked) : asked
      if (twin === null) {
        throw registryFailure('conversion_moved_on', `${ref} is no longer converted by this job`)
      }
      if (twin.state !== 'ready') throw asFailure(ref, twin)
      return {
        version: ref,
        artifact: twin.artifact,
        difference: twin.report?.maxAbsolute,
        samples: twin.report?.samples,
      }
    } catch (error) {
      over = isOver(ctx, error)
      throw error
    } finally {
      // Their files are needed until their end is entered.
      if (over) for (const attempt of Object.values(attemptsOf(ctx.jobId))) await ctx.services.compute.discard(attempt)
    }
  },
})

async function carryOut(ctx: JobContext, version: Version, twin: OnnxTwin): Promise<OnnxTwin | null> {
  const finish = (given: ConversionEnd) =>
    ctx.platform.run(finishConversion, {
      actor: { ...systemActor(ctx.workspace), onBehalfOf: ctx.actor.id },
      input: { version: version.ref, job: ctx.jobId, ...given },
    })
  let end: ConversionEnd = { artifact: null, report: null, problem: null, log: null }
  try {
    end = await runConversion(ctx, version, twin)
    return await finish(end)
  } catch (error) {
    const reason = ctx.signal.aborted ? ctx.signal.reason : error
    if (!isOver(ctx, reason)) throw reason
    const problem = { code: reason.code, message: reason.message.slice(0, 4000), lines: [] }
    const ended = await finish({ ...end, report: null, problem })
    if (ctx.signal.aborted) throw reason
    return ended
  }
}

/** What is wrong with Pave itself is not the model's: whoever carries the conversion on takes it up where it is. */
function isOver({ signal }: JobContext, reason: unknown): reason is PaveError {
  return endsWork(reason) && (signal.aborted || reason.status < 500)
}

function asFailure(ref: string, { problem }: OnnxTwin): PaveError {
  const { code, message } = problem ?? { code: 'conversion_failed', message: 'It ended without a reason' }
  const known = Object.keys(errors).find((one): one is keyof typeof errors => one === code)
  return registryFailure(known ?? 'conversion_failed', `${ref}: ${message}`, { details: { problem } })
}
