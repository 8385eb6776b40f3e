import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { compileSearch, modelWords } from './search-predicate.ts'
import { type ModelRow, modelColumns, modelOf } from './tables.ts'

export const searchModels = handle(contract.searchModels, async (ctx, input) => {
  const search = compileSearch(modelWords, input, [{ key: 'name', descending: false }])
  const { rows } = await sql<ModelRow & { keys: (string | number)[] }>`
    select ${modelColumns}, ${search.keys} from registry.model
    where removed_at is null and ${search.matches} and ${search.beyondCursor}
      and ${search.namesPrompts ? sql`true` : sql`spec ->> 'task' <> 'prompt'`}
    order by ${search.orderBy} limit ${input.limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, input.limit, modelOf, (row) => row.keys)
})
