import { type RawBuilder, sql } from 'kysely'
import { canonicalJson } from '../canonical-json.ts'
import type { Db } from '../storage/database/database.ts'
import type { Entry } from './entry.ts'

/** Appends one entry with its subjects in the caller's transaction; takes no lock. */
export async function appendEntry(db: Db, entry: Entry): Promise<void> {
  await entryStatement(entry).execute(db)
}

/** What appends an entry with its subjects, as one statement. */
export function entryStatement(entry: Entry): RawBuilder<unknown> {
  const subjects = [
    ...entry.subjects.map((subject) => ({ role: 'subject', ...subject })),
    ...(entry.lineage?.inputs ?? []).map((subject) => ({ role: 'input', ...subject })),
    ...(entry.lineage?.outputs ?? []).map((subject) => ({ role: 'output', ...subject })),
  ]
  const body = canonicalJson(entry)
  if (subjects.length === 0) {
    return sql`
      insert into ledger.entry (workspace, id, at, operation, body)
      values (${entry.workspace}, ${entry.id}, ${entry.at}, ${entry.operation}, ${body})
    `
  }
  return sql`
    with appended as (
      insert into ledger.entry (workspace, id, at, operation, body)
      values (${entry.workspace}, ${entry.id}, ${entry.at}, ${entry.operation}, ${body})
    )
    insert into ledger.subject (workspace, entry, role, kind, id)
    select ${entry.workspace}::uuid, ${entry.id}::uuid, s.role, s.kind, s.id
    from jsonb_to_recordset(${JSON.stringify(subjects)}::jsonb) as s (role text, kind text, id text)
    on conflict do nothing
  `
}
