import { sql } from 'kysely'
import type { Db } from '#platform/storage/database/database.ts'
import { requireLoggedModel } from './describe-logged-models.ts'
import { requireRun, uuidOfLoggedModel } from './tables.ts'

export interface OwnerColumns {
  run: string | null
  loggedModel: string | null
}

/** The two columns of `tracking.artifact` that say whose an artifact is; exactly one is filled. */
export function ownerColumns(owner: string): OwnerColumns {
  if (owner.startsWith('m-')) return { run: null, loggedModel: uuidOfLoggedModel(owner) }
  return { run: owner, loggedModel: null }
}

export function ownedBy({ run, loggedModel }: OwnerColumns) {
  return sql<boolean>`run is not distinct from ${run}::uuid and logged_model is not distinct from ${loggedModel}::uuid`
}

export async function requireOwner(db: Db, owner: string): Promise<void> {
  if (owner.startsWith('m-')) await requireLoggedModel(db, owner)
  else await requireRun(db, owner)
}
