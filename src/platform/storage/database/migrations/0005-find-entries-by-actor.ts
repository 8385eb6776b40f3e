import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What readers of the ledger filter by and only the entry's body says. */
export const findEntriesByActor: Migration = {
  async up(db) {
    await sql`
      create index entry_actor on ledger.entry (workspace, ((body::json #>> '{actor,id}')), seq desc)
    `.execute(db)
    await sql`
      create index entry_not_done on ledger.entry (workspace, ((body::json ->> 'outcome')), seq desc)
      where (body::json ->> 'outcome') <> 'done'
    `.execute(db)
  },
}
