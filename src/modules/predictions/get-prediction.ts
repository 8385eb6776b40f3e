import { z } from 'zod'
import { sqlString } from '#platform/analytics/sql-text.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import * as contract from './contract.ts'
import { conditions, filesDirectory, labelsFrom, predictionsFrom } from './files.ts'
import { PredictionRow, shownColumns } from './prediction-row.ts'
import { liveFiles, predictionsFailure } from './tables.ts'

const WholeRow = PredictionRow.extend({ generation: z.number(), request: z.string(), features: z.string() })
const { request: Request, features: Features } = contract.PredictionRecord.shape

export const getPrediction = handle(contract.getPrediction, async (ctx, { environment, endpoint, prediction, row }) => {
  const where = `${conditions({ environment, endpoint })} AND id = ${sqlString(prediction)} AND "row" = ${row}`
  const files = await liveFiles(ctx.db, 'prediction', { environment, endpoint })
  const items =
    files.length === 0 ? [] : await findRows(ctx, predictionsFrom(filesDirectory(ctx.services), files), where)
  if (items.length === 0) {
    throw predictionsFailure(
      'prediction_not_found',
      `${environment}/${endpoint} recorded no prediction ${prediction}, row ${row}`,
    )
  }
  const labels = await liveFiles(ctx.db, 'label', { environment, endpoint })
  if (labels.length === 0) return { items, label: null }
  const { rows } = await ctx.services.analytics.query(`
    SELECT value, "at" FROM ${labelsFrom(filesDirectory(ctx.services), labels)}
    WHERE ${where} ORDER BY "at" DESC, batch DESC LIMIT 1
  `)
  return { items, label: z.object({ value: z.number(), at: z.string() }).optional().parse(rows[0]) ?? null }
})

async function findRows(ctx: OperationContext, predictions: string, where: string) {
  const { rows } = await ctx.services.analytics.query(`
    SELECT ${shownColumns}, generation, request, features FROM ${predictions}
    WHERE ${where} ORDER BY "at", variant, version LIMIT 100
  `)
  return rows.map((found) => {
    const { request, features, ...shown } = WholeRow.parse(found)
    return { ...shown, request: Request.parse(JSON.parse(request)), features: Features.parse(JSON.parse(features)) }
  })
}
