import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { tracesFailure, uuidOf } from './tables.ts'

export const getTraceAttachment = handle(contract.getTraceAttachment, async (ctx, { trace, attachment }) => {
  const { rows } = await sql<{ digest: string; size: number }>`
    select digest, size from traces.attachment where trace = ${uuidOf(trace)} and id = ${attachment}
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw tracesFailure('trace_attachment_not_found', `${trace} has no attachment ${attachment}`)
  return { trace, attachment, ...row }
})
