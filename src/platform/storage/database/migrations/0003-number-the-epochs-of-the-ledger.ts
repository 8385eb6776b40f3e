import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * Transaction ids order entries within one cluster only, and a restored database is in another: what it brought comes
 * before what is appended there. `ledger.head` is of the epoch of the last sealed entry.
 */
export const numberTheEpochsOfTheLedger: Migration = {
  async up(db) {
    await sql`alter table ledger.entry add column epoch bigint not null default 0`.execute(db)
    await sql`alter table ledger.head add column epoch bigint not null default 0`.execute(db)
    await sql`create index entry_place on ledger.entry (epoch, xid, seq)`.execute(db)
    await sql`drop index ledger.entry_order`.execute(db)
  },
}
