import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The entry of the queue that runs a job now, so that a second entry for the same job does not run it beside the first. */
export const nameTheTicketOfAJob: Migration = {
  async up(db) {
    await sql`alter table platform.job add column ticket uuid`.execute(db)
  },
}
