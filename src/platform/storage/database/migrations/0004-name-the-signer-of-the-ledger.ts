import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The public key that the ledger is signed with, so that a process with another one is noticed before it signs. */
export const nameTheSignerOfTheLedger: Migration = {
  async up(db) {
    await sql`
      create table ledger.signer (
        one boolean primary key default true check (one),
        verifier_key text not null
      )
    `.execute(db)
    await sql`grant select, insert on ledger.signer to pave_system`.execute(db)
  },
}
