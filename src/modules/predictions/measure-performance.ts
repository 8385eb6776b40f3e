import { z } from 'zod'
import { sqlString } from '#platform/analytics/sql-text.ts'
import type { Services } from '#platform/services.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { aucInterval } from './auc-interval.ts'
import { type Performance, Variant } from './contract.ts'
import { conditions, filesDirectory, labelsFrom, predictionsFrom, type RowFilter } from './files.ts'
import { liveFiles } from './tables.ts'

export interface PerformanceFilter extends RowFilter {
  /** Primary and canary by default. */
  variants?: readonly Variant[] | undefined
  /** Apart for each day or week of event time; the whole span unless given. */
  every?: 'day' | 'week' | undefined
}

const Measured = z.object({
  part: z.string(),
  version: z.string(),
  variant: Variant,
  predictions: z.number(),
  labelled: z.number(),
  positives: z.number(),
  binary: z.boolean().nullable(),
  probable: z.boolean(),
  auc: z.number().nullable(),
  brier: z.number().nullable(),
  log_loss: z.number().nullable(),
  calibration_error: z.number().nullable(),
  mean_prediction: z.number().nullable(),
})

/**
 * Served predictions against the labels known by now, one item for each version and variant with predictions in the span.
 * A moment's reading in the caller's read-only transaction; the rows are joined in DuckDB.
 */
export async function realisedPerformance(
  services: Pick<Services, 'config' | 'analytics'>,
  db: Db,
  filter: PerformanceFilter,
): Promise<Performance[]> {
  const predictions = await liveFiles(db, 'prediction', filter)
  if (predictions.length === 0) return []
  // An outcome is known after its prediction, and at no particular time after it.
  const labels = await liveFiles(db, 'label', { ...filter, to: undefined })
  const directory = filesDirectory(services)
  const told =
    labels.length === 0
      ? 'SELECT NULL::VARCHAR AS id, NULL::INTEGER AS "row", NULL::DOUBLE AS value WHERE false'
      : `SELECT id, "row", arg_max(value, {'known': "at", 'batch': batch}) AS value
         FROM ${labelsFrom(directory, labels)} WHERE ${conditions({ environment: filter.environment, endpoint: filter.endpoint })}
         GROUP BY id, "row"`
  const variants = (filter.variants ?? ['primary', 'canary']).map(sqlString).join(', ')
  const { every } = filter
  const part = every === undefined ? "''" : `strftime(date_trunc(${sqlString(every)}, "at"), '%Y-%m-%dT00:00:00Z')`
  const { rows } = await services.analytics.query(`
    WITH told AS (${told}),
    joined AS (
      SELECT ${part} AS part, version, variant, prediction AS score, value FROM ${predictionsFrom(directory, predictions)}
      LEFT JOIN told USING (id, "row")
      WHERE ${conditions(filter)} AND variant IN (${variants}) AND status = 'ok' AND prediction IS NOT NULL
    ),
    ${measures}
  `)
  return rows.map((row) => performanceOf(Measured.parse(row)))
}

/**
 * One row for each distinct score, so that ties count one half in the AUC (Mann-Whitney over midranks) and equal scores
 * share a calibration bin: the same measures as `rocAuc` and `expectedCalibrationError`, for any number of rows.
 */
const measures = `
  totals AS (
    SELECT part, version, variant, count(*) AS predictions, count(value) AS labelled,
           count(*) FILTER (value = 1) AS positives,
           bool_and(value IN (0, 1)) AS binary,
           bool_and(score BETWEEN 0 AND 1) AS probable,
           avg(score) FILTER (value IS NOT NULL) AS mean_prediction,
           avg((score - value) ** 2) AS brier,
           avg(-CASE WHEN value = 1 THEN ln(greatest(score, 1e-15)) ELSE ln(1 - least(score, 1 - 1e-15)) END)
             FILTER (value IS NOT NULL AND score BETWEEN 0 AND 1) AS log_loss
    FROM joined GROUP BY part, version, variant
  ),
  scores AS (
    SELECT part, version, variant, score, count(*) AS n, count(*) FILTER (value = 1) AS positives
    FROM joined WHERE value IS NOT NULL GROUP BY part, version, variant, score
  ),
  ranked AS (
    SELECT *, sum(n) OVER below AS rows_below, sum(n - positives) OVER below AS negatives_below,
           sum(n) OVER (PARTITION BY part, version, variant) AS total
    FROM scores
    WINDOW below AS (PARTITION BY part, version, variant ORDER BY score ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
  ),
  areas AS (
    SELECT part, version, variant,
           sum(positives * (coalesce(negatives_below, 0) + (n - positives) / 2.0))
             / nullif(sum(positives) * sum(n - positives)::DOUBLE, 0) AS auc
    FROM ranked GROUP BY part, version, variant
  ),
  bins AS (
    SELECT part, version, variant, floor(10.0 * coalesce(rows_below, 0) / total) AS bin, any_value(total) AS total,
           abs(sum(n * score) - sum(positives)) AS gap
    FROM ranked GROUP BY part, version, variant, bin
  ),
  calibration AS (
    SELECT part, version, variant, sum(gap / total) AS calibration_error FROM bins GROUP BY part, version, variant
  )
  SELECT totals.*, auc, calibration_error
  FROM totals LEFT JOIN areas USING (part, version, variant) LEFT JOIN calibration USING (part, version, variant)
  ORDER BY part, version, variant
`

function performanceOf(measured: z.infer<typeof Measured>): Performance {
  const { predictions, labelled, positives, auc } = measured
  const binary = measured.binary === true
  const probability = binary && measured.probable
  return {
    at: measured.part === '' ? null : measured.part,
    version: measured.version,
    variant: measured.variant,
    predictions,
    labelled,
    coverage: predictions === 0 ? 0 : labelled / predictions,
    auc: binary ? auc : null,
    aucInterval: binary && auc !== null ? aucInterval(auc, positives, labelled - positives) : null,
    brier: measured.brier,
    logLoss: probability ? measured.log_loss : null,
    calibrationError: probability ? measured.calibration_error : null,
    meanPrediction: measured.mean_prediction,
    positiveRate: binary ? positives / labelled : null,
  }
}
