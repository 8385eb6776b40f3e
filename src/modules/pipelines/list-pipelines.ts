import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { type PipelineRow, pipelineOf } from './tables.ts'

export const listPipelines = handle(contract.listPipelines, async (ctx, { limit, cursor }) => {
  const [after] = decodeCursor(cursor, 1) ?? ['']
  const { rows } = await sql<PipelineRow>`
    select name, spec, digest, declared_by, updated_at from pipelines.pipeline
    where name > ${after} order by name limit ${limit + 1}
  `.execute(ctx.db)
  return pageFrom(rows, limit, pipelineOf, (row) => [row.name])
})
