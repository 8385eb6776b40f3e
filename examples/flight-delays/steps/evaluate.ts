/**
 * Measures a trained model on rows that it has not seen. Inputs: `trees` (JSON, from the training), `training` and
 * `evaluation` (CSV). Output: `metrics` (JSON).
 */
import { readFile, writeFile } from 'node:fs/promises'
import { scoreBaseline } from './baseline.ts'
import { type BoostedTrees, predict } from './boosted-trees.ts'
import { convertDistance } from './distance-unit.ts'
import { type LabelledTable, readTable } from './read-table.ts'
import { areaUnderCurve, brierScore, calibrationError, logLoss } from './score-quality.ts'
import { inputPath, numberParam, outputPath, runStep, showProgress, textParam } from './step.ts'

await runStep(async (step) => {
  const sliceBy = textParam(step, 'slice_by', 'origin')
  const baselineFeatures = textParam(step, 'baseline_features', 'origin_late_rate_3h,minute_of_day').split(',')
  const model: BoostedTrees = JSON.parse(await readFile(inputPath(step, 'trees'), 'utf8'))
  showProgress(0, 'reading the evaluation set')
  const evaluation = await readTable(inputPath(step, 'evaluation'), [sliceBy])
  if (evaluation.featureNames.join() !== model.featureNames.join()) {
    throw new Error(`The model has the features ${model.featureNames}, the evaluation set ${evaluation.featureNames}.`)
  }
  showProgress(0.3, 'fitting the baseline on the training set')
  const training = await readTable(inputPath(step, 'training'))
  const baseline = areaUnderCurve(scoreBaseline(training, evaluation, baselineFeatures), evaluation.labels)

  showProgress(0.8, 'scoring')
  convertDistance(evaluation, step)
  const probabilities = predict(model, evaluation.values)
  const { auc, interval } = areaUnderCurve(probabilities, evaluation.labels)
  const report = {
    metrics: {
      auc,
      auc_low: interval[0],
      auc_high: interval[1],
      log_loss: logLoss(probabilities, evaluation.labels),
      brier: brierScore(probabilities, evaluation.labels),
      calibration_error: calibrationError(probabilities, evaluation.labels),
      rows: evaluation.rows,
    },
    baseline: { name: `late share by ${baselineFeatures.join(' and ')}`, metrics: { auc: baseline.auc } },
    slices: measureSlices(evaluation, probabilities, sliceBy, numberParam(step, 'slices', 10)),
  }
  await writeFile(outputPath(step, 'metrics'), JSON.stringify(report, null, 2))
  showProgress(1, `AUC ${auc.toFixed(3)}, baseline ${baseline.auc.toFixed(3)}`)
})

/** The largest slices first. */
function measureSlices(table: LabelledTable, probabilities: Float64Array, sliceBy: string, count: number) {
  const rowsOf = Map.groupBy((table.text[sliceBy] ?? []).keys(), (row) => table.text[sliceBy]?.[row])
  const largest = [...rowsOf].sort(([, a], [, b]) => b.length - a.length).slice(0, count)
  return largest.map(([value, rows]) => {
    const scores = rows.map((row) => probabilities[row] ?? Number.NaN)
    const labels = rows.map((row) => table.labels[row] ?? Number.NaN)
    const { auc } = areaUnderCurve(scores, labels)
    return { slice: `${sliceBy}=${value}`, rows: rows.length, metrics: Number.isNaN(auc) ? {} : { auc } }
  })
}
