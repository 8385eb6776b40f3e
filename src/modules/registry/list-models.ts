import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import { withinFolder } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { type ModelRow, modelColumns, modelOf } from './tables.ts'

export const listModels = handle(contract.listModels, async (ctx, input) => {
  const { limit, cursor, search, tier, folder, below, order, prompts } = input
  const pattern = search === undefined || search === '' ? null : textPattern(search)
  const matching = sql<boolean>`
    removed_at is null and (spec ->> 'task' = 'prompt') = ${prompts} and (${pattern}::text is null or name ilike ${pattern} or spec ->> 'owner' ilike ${pattern}
      or spec ->> 'description' ilike ${pattern})
    and (${tier ?? null}::int is null or (spec ->> 'tier')::int = ${tier ?? null})
    and ${folder === undefined ? sql`true` : withinFolder(sql`folder`, folder, below)}
  `
  if (order === 'name') {
    const [after] = decodeCursor(cursor, 1) ?? ['']
    const { rows } = await sql<ModelRow>`
      select ${modelColumns} from registry.model where name > ${after} and ${matching} order by name limit ${limit + 1}
    `.execute(ctx.db)
    return pageFrom(rows, limit, modelOf, (row) => [row.name])
  }
  const [at, after] = decodeCursor(cursor, 2) ?? ['infinity', '']
  const { rows } = await sql<ModelRow>`
    select ${modelColumns} from registry.model
    where (changed_at < ${at}::timestamptz or (changed_at = ${at}::timestamptz and name > ${after})) and ${matching}
    order by changed_at desc, name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, modelOf, (row) => [row.changed_at, row.name])
})
