import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { errors, type StoredFile } from './contract.ts'

export const predictionsFailure = failure(errors)

export interface FileRow {
  id: string
  format: StoredFile['format']
  path: string
}

/** The files that hold an endpoint's predictions, or its labels, of a span of event time. */
export async function liveFiles(
  db: Db,
  kind: StoredFile['kind'],
  filter: { environment: string; endpoint: string; from?: string | undefined; to?: string | undefined },
): Promise<FileRow[]> {
  const { environment, endpoint, from, to } = filter
  const { rows } = await sql<FileRow>`
    select id, format, path from predictions.file
    where kind = ${kind} and retired_at is null and ${`${environment}/${endpoint}`} = any(endpoints)
      and last_at >= coalesce(${from ?? null}::timestamptz, '-infinity')
      and first_at < coalesce(${to ?? null}::timestamptz, 'infinity')
    order by first_at
  `.execute(db)
  return rows
}

export async function insertFiles(
  db: Db,
  workspace: string,
  files: readonly (StoredFile & { id: string })[],
  recordedAt: string,
): Promise<void> {
  await sql`
    insert into predictions.file (workspace, id, kind, format, path, endpoints, rows, first_at, last_at, recorded_at)
    select ${workspace}::uuid, id, kind, format, path, endpoints, rows, "firstAt", "lastAt", ${recordedAt}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(files)}::jsonb)
      as file (id uuid, kind text, format text, path text, endpoints text[], rows int, "firstAt" timestamptz, "lastAt" timestamptz)
  `.execute(db)
}
