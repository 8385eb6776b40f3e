import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { type ExperimentRetention, Retention } from './trash-contract.ts'

export const defaultRetention: Retention = Retention.parse({})

export const dayMs = 86_400_000

interface RetentionRow {
  trash_days: number
  expire_days: number | null
  keep_tag: string
  set_by: string | null
  set_at: string | null
}

/** What experiments that have no retention of their own have. */
export async function findRetention(db: Db, experiment: number): Promise<Retention> {
  const row = await findRow(db, experiment)
  return row === undefined ? defaultRetention : retentionOf(row)
}

/** The same, and who said so. */
export async function describeRetention(db: Db, experiment: number): Promise<ExperimentRetention> {
  const row = await findRow(db, experiment)
  const id = String(experiment)
  if (row === undefined) return { experiment: id, ...defaultRetention, own: false, setBy: null, setAt: null }
  return { experiment: id, ...retentionOf(row), own: true, setBy: row.set_by, setAt: row.set_at }
}

async function findRow(db: Db, experiment: number): Promise<RetentionRow | undefined> {
  const { rows } = await sql<RetentionRow>`
    select trash_days, expire_days, keep_tag, set_by, set_at from tracking.retention where experiment = ${experiment}
  `.execute(db)
  return rows[0]
}

function retentionOf(row: RetentionRow): Retention {
  return { trashDays: row.trash_days, expireAfterDays: row.expire_days, keepTag: row.keep_tag }
}
