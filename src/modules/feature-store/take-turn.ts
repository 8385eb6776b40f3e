import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { isLockTimeout } from '#platform/storage/database/translate-error.ts'
import { featureStoreFailure } from './tables.ts'

/**
 * From here to the end of the transaction nobody else changes the online states that a dataset feeds, in whichever
 * process: two that read states and write them back would lose each other's events.
 */
export async function takeTurn(db: Db, workspace: string, dataset: string): Promise<void> {
  try {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`online ${workspace} ${dataset}`}, 0))`.execute(db)
  } catch (error) {
    if (!isLockTimeout(error)) throw error
    throw featureStoreFailure('online_states_busy', `The online states that ${dataset} feeds are being replaced`)
  }
}
