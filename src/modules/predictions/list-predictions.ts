import { z } from 'zod'
import { sqlString } from '#platform/analytics/sql-text.ts'
import { handle } from '#platform/context.ts'
import { decodeCursor, Instant, pageFrom, unknownCursor } from '#platform/names.ts'
import * as contract from './contract.ts'
import { conditions, filesDirectory, labelsFrom, predictionsFrom, timestamp } from './files.ts'
import { PredictionRow, shownColumns } from './prediction-row.ts'
import { liveFiles } from './tables.ts'

const order = ['"at"', 'id', '"row"', 'variant', 'version']
const descending = order.map((column) => `${column} DESC`).join(', ')

const LabelledRow = PredictionRow.extend({ label: z.number().nullable(), labelAt: z.string().nullable() })

export const listPredictions = handle(contract.listPredictions, async (ctx, { limit, cursor, ...filter }) => {
  const files = await liveFiles(ctx.db, 'prediction', filter)
  const labelFiles = await liveFiles(ctx.db, 'label', { environment: filter.environment, endpoint: filter.endpoint })
  if (files.length === 0 || (filter.labelled === true && labelFiles.length === 0))
    return { items: [], nextCursor: null }
  const directory = filesDirectory(ctx.services)
  const { environment, endpoint } = filter
  const labels =
    labelFiles.length === 0
      ? `(SELECT '' AS id, 0 AS "row", 0.0 AS value, TIMESTAMP '1970-01-01' AS "at", '' AS batch WHERE false)`
      : `(SELECT id, "row", value, "at", batch FROM ${labelsFrom(directory, labelFiles)} WHERE ${conditions({ environment, endpoint })})`
  const where = [conditions(filter), ...rowConditions(filter, labels)]
  const last = decodeCursor(cursor, order.length)
  if (last !== undefined) where.push(`(${order.join(', ')}) < (${keysOf(last).join(', ')})`)
  const { rows } = await ctx.services.analytics.query(`
    WITH page AS (
      SELECT ${shownColumns} FROM ${predictionsFrom(directory, files)}
      WHERE ${where.join(' AND ')} ORDER BY ${descending} LIMIT ${limit + 1}),
    newest AS (
      SELECT id, "row", arg_max(value, ("at", batch)) AS label, max("at") AS "labelAt"
      FROM ${labels} WHERE id IN (SELECT id FROM page) GROUP BY id, "row")
    SELECT page.*, label, "labelAt" FROM page LEFT JOIN newest USING (id, "row") ORDER BY ${descending}
  `)
  return pageFrom(
    rows.map((row) => LabelledRow.parse(row)),
    limit,
    ({ label, labelAt, ...row }) => ({
      ...row,
      label: label === null || labelAt === null ? null : { value: label, at: labelAt },
    }),
    ({ at, id, row, variant, version }) => [at, id, row, variant, version],
  )
})

interface RowFilter {
  variant?: string | undefined
  status?: string | undefined
  id?: string | undefined
  request?: string | undefined
  labelled?: boolean | undefined
}

function rowConditions({ variant, status, id, request, labelled }: RowFilter, labels: string): string[] {
  const fields = request === undefined ? [] : [...new URLSearchParams(request)]
  return [
    ...(variant === undefined ? [] : [`variant = ${sqlString(variant)}`]),
    ...(status === undefined ? [] : [`status = ${sqlString(status)}`]),
    ...(id === undefined ? [] : [`id = ${sqlString(id)}`]),
    // The JSON pointer's own signs are escaped: a field may be called anything.
    ...fields.map(([field, value]) => {
      const pointer = `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`
      return `json_extract_string(request, ${sqlString(pointer)}) = ${sqlString(value)}`
    }),
    ...(labelled === undefined ? [] : [`(id, "row") ${labelled ? '' : 'NOT '}IN (SELECT (id, "row") FROM ${labels})`]),
  ]
}

const Keys = z.tuple([Instant, z.string(), z.int(), z.string(), z.string()])

function keysOf(cursor: readonly (string | number)[]): (string | number)[] {
  const { data } = Keys.safeParse(cursor)
  if (data === undefined) throw unknownCursor()
  const [at, id, row, variant, version] = data
  return [timestamp(at), sqlString(id), row, sqlString(variant), sqlString(version)]
}
