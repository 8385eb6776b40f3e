import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import { ownedBy, ownerColumns, requireOwner } from './artifact-owner.ts'
import * as contract from './contract.ts'

interface Row {
  path: string
  directory: boolean
  size: number
  digest: string | null
}

/** A file's path lists nothing. The character after a slash is `0`, which ends the range of what lies below. */
export const listArtifacts = handle(contract.listArtifacts, async (ctx, { owner, path, recursive, limit, cursor }) => {
  await requireOwner(ctx.db, owner)
  const prefix = path === undefined ? '' : `${path}/`
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const below = path === undefined ? sql<boolean>`true` : sql<boolean>`path >= ${prefix} and path < ${`${path}0`}`
  const { rows } = await sql<Row>`
    with child as (
      select case when ${recursive} then path
                  else ${prefix} || split_part(substr(path, length(${prefix}) + 1), '/', 1) end as name,
             path, digest, size
      from tracking.artifact where ${ownedBy(ownerColumns(owner))} and ${below}
    )
    select name as path, bool_or(path <> name) as directory,
           (case when bool_or(path <> name) then 0 else max(size) end)::bigint as size,
           case when bool_or(path <> name) then null else max(digest) end as digest
    from child where name > ${after} collate "C"
    group by name order by name collate "C" limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(
    rows,
    limit,
    (row) => row,
    (row) => [row.path],
  )
})
