import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { digestOf } from '#platform/ids.ts'
import * as contract from './contract.ts'
import { requireIncident } from './tables.ts'

export const commentIncident = handle(contract.commentIncident, async (ctx, { incident, text }) => {
  const { id } = await requireIncident(ctx.db, incident)
  const at = ctx.clock.iso()
  await sql`
    insert into incidents.comment (workspace, id, incident, author, at, text)
    values (${ctx.workspace}, ${ctx.ids.next()}, ${id}, ${ctx.actor.id}, ${at}, ${text})
  `.execute(ctx.db)
  ctx.entry.subject('incident', id)
  ctx.entry.facts({ incident, textDigest: digestOf(text) })
  return { incident, at }
})
