import { handle, type OperationContext } from '#platform/context.ts'
import { PaveError } from '#platform/errors.ts'
import type { OutputOf } from '#platform/operation.ts'
import * as contract from './contract.ts'
import { requireRun, stepsOf } from './queries.ts'
import { attemptId, pipelinesFailure, type StepRow } from './tables.ts'

const longestLog = 64 * 1024 * 1024

interface Page {
  bytes: Buffer
  offset: number
  size: number
}

/** While the step runs, from the machine that it runs on; afterwards from the object store. */
export const readStepLog = handle(contract.readStepLog, async (ctx, input) => {
  const { run, step: name, offset } = input
  await requireRun(ctx.db, run)
  const step = (await stepsOf(ctx.db, run)).find((one) => one.step === name)
  if (step === undefined) throw pipelinesFailure('step_not_found', `Run ${run} has no step ${name}`)
  if (step.state === 'running') return { ...textOf(await readRunning(ctx, run, step, input), false), complete: false }
  const ended = step.state !== 'pending' && step.state !== 'retrying'
  if (step.log_digest === null) return { text: '', offset, next: offset, size: 0, complete: ended }
  const log = await ctx.services.objects.read(step.log_digest, { maxBytes: longestLog })
  const page = textOf(cut(log, input), true)
  return { ...page, complete: ended && page.next >= log.length }
})

type Range = Pick<OutputOf<typeof contract.readStepLog>, 'offset'> & { limit: number; tail: boolean }

function cut(log: Buffer, { offset, limit, tail }: Range): Page {
  const from = tail ? Math.max(0, log.length - limit) : offset
  return { bytes: log.subarray(from, from + limit), offset: from, size: log.length }
}

async function readRunning(ctx: OperationContext, run: string, step: StepRow, range: Range): Promise<Page> {
  const attempt = attemptId(run, step.step, step.attempt)
  const { offset, limit, tail } = range
  try {
    const { compute } = ctx.services
    const from = tail ? Math.max(0, (await compute.readLog(attempt, { limit: 0 })).size - limit) : offset
    const { bytes, size } = await compute.readLog(attempt, { offset: from, limit })
    return { bytes, offset: from, size }
  } catch (error) {
    // Not begun yet, or just ended: the next question finds it.
    if (error instanceof PaveError && error.code === 'attempt_not_found') {
      return { bytes: Buffer.alloc(0), offset: tail ? 0 : offset, size: 0 }
    }
    throw error
  }
}

/** Whole characters: what is left of one at the beginning is dropped, and one that has only begun waits for the next page. */
function textOf({ bytes, offset, size }: Page, whole: boolean) {
  let start = 0
  while (offset > 0 && start < Math.min(3, bytes.length) && ((bytes[start] ?? 0) & 0b1100_0000) === 0b1000_0000) start++
  const page = wholeCharacters(bytes.subarray(start), whole && offset + bytes.length >= size)
  return { text: page.toString(), offset: offset + start, next: offset + start + page.length, size }
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
