import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import * as contract from './contract.ts'

interface Row {
  id: string
  kind: 'user' | 'service-account' | 'node'
  name: string
  created_at: string
  roles: contract.Member['roles']
}

export const listPrincipals = handle(contract.listPrincipals, async (ctx, { limit, cursor, kind, search }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const pattern = search === undefined || search === '' ? null : textPattern(search)
  const { rows } = await sql<Row>`
    with page as (
      select workspace, id, kind, name, created_at from identity.principal
      where name > ${String(after)}
        and (${kind ?? null}::text is null or kind = ${kind ?? null})
        and (${pattern}::text is null or name ilike ${pattern})
      order by name limit ${limit + 1}
    )
    select page.id, page.kind, page.name, page.created_at, coalesce(
      (select jsonb_agg(jsonb_build_object('id', b.id, 'role', b.role, 'scope', b.scope) order by b.id)
       from identity.role_binding b where b.workspace = page.workspace and b.principal = page.id), '[]') as roles
    from page order by page.name
  `.execute(ctx.db)
  return pageFrom(
    rows,
    limit,
    ({ created_at, ...row }) => ({ ...row, createdAt: created_at }),
    (row) => [row.name],
  )
})
