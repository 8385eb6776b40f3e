import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import { withinFolder } from '#platform/storage/database/folders.ts'
import * as contract from './contract.ts'
import { type ExperimentRow, experimentColumns, experimentOf } from './tables.ts'

type Row = ExperimentRow & { runs: number; last_run_at: string | null }

export const listExperiments = handle(contract.listExperiments, async (ctx, input) => {
  const { name, search, folder, below, state, limit, cursor } = input
  const [before] = decodeCursor(cursor, 1) ?? [2 ** 31 - 1]
  const pattern = search === undefined || search === '' ? null : textPattern(search)
  const { rows } = await sql<Row>`
    with page as (
      select workspace, ${experimentColumns} from tracking.experiment
      where id < ${before}
        and (${state} = 'all' or state = ${state})
        and (${name ?? null}::text is null or name = ${name ?? null})
        and (${pattern}::text is null or name ilike ${pattern})
        and ${folder === undefined ? sql`true` : withinFolder(sql`folder`, folder, below)}
      order by id desc limit ${limit + 1}
    )
    select page.*, run.runs, run.last_run_at from page cross join lateral (
      select count(*) as runs, max(started_at) as last_run_at from tracking.run
      where run.workspace = page.workspace and run.experiment = page.id and run.state = 'active'
    ) run order by page.id desc
  `.execute(ctx.db)
  const summaryOf = (row: Row) => ({ ...experimentOf(row), runs: row.runs, lastRunAt: row.last_run_at })
  return pageFrom(rows, limit, summaryOf, (row) => [row.id])
})
