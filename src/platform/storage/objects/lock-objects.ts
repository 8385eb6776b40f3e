import { sql } from 'kysely'
import type { Db } from '../database/database.ts'

/** The first part of the locks' keys; the second is the first byte of a digest. */
const objectLocks = 7_283_006

/**
 * Whoever is about to refer to objects shares a lock with others like it, and whoever withdraws them has it alone, until
 * the transaction ends. One lock stands for all digests that begin with the same byte: a version may have 10,000 files.
 */
export async function lockObjects(db: Db, digests: readonly string[], how: 'shared' | 'alone'): Promise<void> {
  const bytes = [...new Set(digests.map(objectLockOf))]
  const lock = sql.raw(how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock')
  await sql`
    select ${lock}(${objectLocks}, byte) from unnest(${bytes.sort((a, b) => a - b)}::int[]) as one (byte)
  `.execute(db)
}

export function objectLockOf(digest: string): number {
  return Number.parseInt(digest.slice('sha256:'.length, 'sha256:ab'.length), 16)
}
