import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom, textPattern } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type PipelineRow, pipelineOf, type RunRow, runColumns, runSummaryOf } from './tables.ts'

export const listPipelines = handle(contract.listPipelines, async (ctx, { limit, cursor, search }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const pattern = search === undefined || search === '' ? null : textPattern(search)
  const { rows } = await sql<PipelineRow>`
    select name, spec, digest, declared_by, updated_at from pipelines.pipeline
    where name > ${after}
      and (${pattern}::text is null or name ilike ${pattern} or spec ->> 'description' ilike ${pattern})
    order by name limit ${limit + 1}
  `.execute(ctx.db)
  const runs = await sql<RunRow>`
    select run.* from unnest(${rows.map((row) => row.name)}::text[]) as listed (name)
    cross join lateral (
      select ${runColumns} from pipelines.run where pipeline = listed.name order by created_at desc, id desc limit 1
    ) run
  `.execute(ctx.db)
  const lastRunOf = new Map(runs.rows.map((run) => [run.pipeline, runSummaryOf(run)]))
  const summaryOf = (row: PipelineRow) => ({ ...pipelineOf(row), lastRun: lastRunOf.get(row.name) ?? null })
  return pageFrom(rows, limit, summaryOf, (row) => [row.name])
})
