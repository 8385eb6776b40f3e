import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { releaseObjects } from '#platform/storage/objects/release-objects.ts'
import { workspaceHasObject } from '#platform/storage/objects/workspace-objects.ts'
import * as contract from './contract.ts'
import { tracesFailure, uuidOf } from './tables.ts'

/** It goes with its trace. Whoever sends it again replaces what was there. */
export const recordTraceAttachment = handle(contract.recordTraceAttachment, async (ctx, input) => {
  const { trace, attachment, digest, size } = input
  if (!(await workspaceHasObject(ctx.db, ctx.workspace, digest))) {
    throw tracesFailure('trace_object_unknown', `The workspace has no object ${digest}`)
  }
  const { rows } = await sql`select 1 from traces.trace where id = ${uuidOf(trace)} for key share`.execute(ctx.db)
  if (rows.length === 0) throw tracesFailure('trace_not_found', `There is no trace ${trace}`)
  const { rows: replaced } = await sql<{ digest: string; size: number }>`
    select digest, size from traces.attachment
    where trace = ${uuidOf(trace)} and id = ${attachment} and digest <> ${digest} for update
  `.execute(ctx.db)
  await releaseObjects(ctx, replaced)
  await sql`
    insert into traces.attachment (workspace, trace, id, digest, size)
    values (${ctx.workspace}, ${uuidOf(trace)}, ${attachment}, ${digest}, ${size})
    on conflict (workspace, trace, id) do update set digest = excluded.digest, size = excluded.size
  `.execute(ctx.db)
  ctx.entry.subject('trace', trace)
  ctx.entry.subject('object', digest)
  ctx.entry.facts({ size })
  return input
})
