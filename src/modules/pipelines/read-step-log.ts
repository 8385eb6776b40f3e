import { handle, type OperationContext } from '#platform/context.ts'
import { PaveError } from '#platform/errors.ts'
import * as contract from './contract.ts'
import { requireRun, stepsOf } from './queries.ts'
import { attemptId, pipelinesFailure, type StepRow } from './tables.ts'

const longestLog = 64 * 1024 * 1024

/** While the step runs, from the machine that it runs on; afterwards from the object store. */
export const readStepLog = handle(contract.readStepLog, async (ctx, { run, step: name, offset, limit }) => {
  await requireRun(ctx.db, run)
  const step = (await stepsOf(ctx.db, run)).find((one) => one.step === name)
  if (step === undefined) throw pipelinesFailure('step_not_found', `Run ${run} has no step ${name}`)
  if (step.state === 'running') return { ...(await tail(ctx, run, step, offset, limit)), complete: false }
  const ended = step.state !== 'pending' && step.state !== 'retrying'
  if (step.log_digest === null) return { text: '', next: offset, complete: ended }
  const log = await ctx.services.objects.read(step.log_digest, { maxBytes: longestLog })
  const part = log.subarray(offset, offset + limit)
  const page = wholeCharacters(part, offset + part.length >= log.length)
  return { text: page.toString(), next: offset + page.length, complete: ended && offset + page.length >= log.length }
})

async function tail(ctx: OperationContext, run: string, step: StepRow, offset: number, limit: number) {
  try {
    const log = await ctx.services.compute.readLog(attemptId(run, step.step, step.attempt), { offset, limit })
    const page = wholeCharacters(log.bytes, false)
    return { text: page.toString(), next: offset + page.length }
  } catch (error) {
    // Not begun yet, or just ended: the next question finds it.
    if (error instanceof PaveError && error.code === 'attempt_not_found') return { text: '', next: offset }
    throw error
  }
}

/** Without the beginning of a UTF-8 character at the end, which the next page starts with. */
function wholeCharacters(bytes: Buffer, last: boolean): Buffer {
  if (last) return bytes
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0b1100_0000) === 0b1000_0000) continue
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}
