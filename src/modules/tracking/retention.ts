import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { Retention } from './trash-contract.ts'

export const defaultRetention: Retention = Retention.parse({})

export const dayMs = 86_400_000

/** What experiments that have no retention of their own have. */
export async function findRetention(db: Db, experiment: number): Promise<Retention> {
  const { rows } = await sql<{ trash_days: number; expire_days: number | null; keep_tag: string }>`
    select trash_days, expire_days, keep_tag from tracking.retention where experiment = ${experiment}
  `.execute(db)
  const [row] = rows
  if (row === undefined) return defaultRetention
  return { trashDays: row.trash_days, expireAfterDays: row.expire_days, keepTag: row.keep_tag }
}
