import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type DatasetRow, datasetOf, type VersionRow } from './tables.ts'

export const listDatasets = handle(contract.listDatasets, async (ctx, { limit, cursor, search }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const pattern = search === undefined || search === '' ? null : textPattern(search)
  const { rows } = await sql<DatasetRow & { latest: Pick<VersionRow, 'content' | 'registered_at'> | null }>`
    select d.name, d.spec, d.contract_digest, d.last_version, d.created_at, l.latest
    from datasets.dataset d
    left join lateral (
      select json_build_object('content', v.content - 'profile', 'registered_at', v.registered_at) as latest
      from datasets.version v where v.dataset = d.name and v.version = d.last_version
    ) l on true
    where d.name > ${after}
      and (${pattern}::text is null or d.name ilike ${pattern} or d.spec ->> 'owner' ilike ${pattern}
        or d.spec ->> 'description' ilike ${pattern})
    order by d.name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(
    rows,
    limit,
    ({ latest, ...row }) => ({ ...datasetOf(row), latest: latest === null ? null : summaryOf(latest) }),
    (row) => [row.name],
  )
})

function summaryOf({ content, registered_at }: Pick<VersionRow, 'content' | 'registered_at'>) {
  const { rows, quarantined, warned, lastTime } = content
  return { rows, quarantined, warned, lastTime, registeredAt: new Date(registered_at).toISOString() }
}
