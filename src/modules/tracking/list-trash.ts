import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import { dayMs, defaultRetention } from './retention.ts'
import { loggedModelId } from './tables.ts'
import * as contract from './trash-contract.ts'

interface Row {
  kind: contract.TrashKind
  id: string
  name: string
  experiment: number
  removed_at: string
  removed_by: string | null
  purging: boolean
  trash_days: number
  files: number
  bytes: number
}

export const listTrash = handle(contract.listTrash, async (ctx, { kind, experiment, limit, cursor }) => {
  const [at, after] = decodeCursor(cursor, 2) ?? ['infinity', '']
  const { rows } = await sql<Row>`
    with thing as (
      select 'experiment' as kind, id::text as id, null::uuid as uuid, name, id as experiment, removed_at, removed_by, purging
      from tracking.experiment where removed_at is not null
      union all
      select 'run', id::text, id, name, experiment, removed_at, removed_by, purging
      from tracking.run where removed_at is not null
      union all
      select 'logged-model', id::text, id, name, experiment, removed_at, removed_by, purging
      from tracking.logged_model where removed_at is not null
    ), page as (
      select * from thing
      where (removed_at < ${at}::timestamptz or (removed_at = ${at}::timestamptz and id > ${after}))
        and (${kind ?? null}::text is null or kind = ${kind ?? null})
        and (${experiment ?? null}::int is null or experiment = ${experiment ?? null}::int)
      order by removed_at desc, id limit ${limit + 1}
    )
    select page.*, coalesce(retention.trash_days, ${defaultRetention.trashDays})::int as trash_days,
           of_runs.files + of_models.files as files, (of_runs.bytes + of_models.bytes)::bigint as bytes
    from page
    left join tracking.retention retention on retention.experiment = page.experiment
    cross join lateral (
      select count(*) as files, coalesce(sum(size), 0) as bytes from tracking.artifact
      where run = any(array(
        select page.uuid where page.kind = 'run'
        union all select run.id from tracking.run run where page.kind = 'experiment' and run.experiment = page.experiment))
    ) of_runs
    cross join lateral (
      select count(*) as files, coalesce(sum(size), 0) as bytes from tracking.artifact
      where logged_model = any(array(
        select page.uuid where page.kind = 'logged-model'
        union all select model.id from tracking.logged_model model where page.kind = 'run' and model.run = page.uuid
        union all select model.id from tracking.logged_model model
        where page.kind = 'experiment' and model.experiment = page.experiment))
    ) of_models
    order by page.removed_at desc, page.id
  `.execute(ctx.db)
  return pageFrom(rows, limit, trashedOf, (row) => [row.removed_at, row.id])
})

function trashedOf(row: Row): contract.Trashed {
  return {
    kind: row.kind,
    id: row.kind === 'logged-model' ? loggedModelId(row.id) : row.id,
    name: row.name,
    experiment: String(row.experiment),
    deletedAt: row.removed_at,
    deletedBy: row.removed_by,
    purgeAt: new Date(Date.parse(row.removed_at) + row.trash_days * dayMs).toISOString(),
    purging: row.purging,
    files: row.files,
    bytes: row.bytes,
  }
}
