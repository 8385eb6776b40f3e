import { sqlString } from '#platform/analytics/sql-text.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { conditions, filesDirectory, predictionsFrom, timestamp } from './files.ts'
import { PredictionRow, shownColumns } from './prediction-row.ts'
import { liveFiles } from './tables.ts'

const order = '"at", id, "row", variant, version'

export const listPredictions = handle(contract.listPredictions, async (ctx, { limit, cursor, ...filter }) => {
  const files = await liveFiles(ctx.db, 'prediction', filter)
  if (files.length === 0) return { items: [], nextCursor: null }
  const where = [conditions(filter)]
  if (filter.variant !== undefined) where.push(`variant = ${sqlString(filter.variant)}`)
  if (filter.status !== undefined) where.push(`status = ${sqlString(filter.status)}`)
  const last = decodeCursor(cursor, 5)
  if (last !== undefined) {
    const [at, id, row, variant, version] = last
    const keys = [
      timestamp(String(at)),
      sqlString(String(id)),
      Number(row),
      sqlString(String(variant)),
      sqlString(String(version)),
    ]
    where.push(`(${order}) < (${keys.join(', ')})`)
  }
  const { rows } = await ctx.services.analytics.query(`
    SELECT ${shownColumns} FROM ${predictionsFrom(filesDirectory(ctx.services), files)}
    WHERE ${where.join(' AND ')}
    ORDER BY "at" DESC, id DESC, "row" DESC, variant DESC, version DESC LIMIT ${limit + 1}
  `)
  return pageFrom(
    rows.map((row) => PredictionRow.parse(row)),
    limit,
    (row) => row,
    ({ at, id, row, variant, version }) => [at, id, row, variant, version],
  )
})
