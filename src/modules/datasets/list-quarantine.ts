import { sqlString } from '#platform/analytics/sql-text.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { datasetVersion } from './queries.ts'

export const listQuarantine = handle(
  contract.listQuarantine,
  async (ctx, { dataset, version, rule, limit, cursor }) => {
    const { quarantineDigest } = await datasetVersion(ctx.db, dataset, version)
    const path = await ctx.services.objects.localPath(quarantineDigest)
    const [after] = decodeCursor(cursor, 1) ?? [-1]
    const { rows } = await ctx.services.analytics.query(
      `SELECT * FROM read_parquet(${sqlString(path)}, file_row_number = true)
       WHERE file_row_number > ? AND (? IS NULL OR broken_rule = ?) ORDER BY file_row_number LIMIT ?`,
      [Number(after), rule ?? null, rule ?? null, limit + 1],
    )
    return pageFrom(
      rows,
      limit,
      ({ broken_rule: broken, file_row_number: _, ...row }) => ({ rule: String(broken), row }),
      (row) => [Number(row['file_row_number'])],
    )
  },
)
