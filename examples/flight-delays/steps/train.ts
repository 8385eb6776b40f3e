/**
 * Trains the model. Input: `training` (CSV). Outputs: `model` (ONNX), `trees` (JSON, for the evaluation), `profile`
 * (JSON, the features as trained on) and `report` (JSON). Every parameter has a default.
 */
import { writeFile } from 'node:fs/promises'
import { defaultBoosting, predict, trainBoostedTrees } from './boosted-trees.ts'
import { convertDistance } from './distance-unit.ts'
import { profileFeatures } from './profile-features.ts'
import { readTable, sampleRows } from './read-table.ts'
import { areaUnderCurve } from './score-quality.ts'
import { inputPath, numberParam, outputPath, runStep, type Step, showProgress, textParam } from './step.ts'
import { signature, writeOnnx } from './write-onnx.ts'

await runStep(async (step) => {
  const options = boostingOptions(step)
  showProgress(0, 'reading the training set')
  const known = await readTable(inputPath(step, 'training'))
  const table = sampleRows(known, numberParam(step, 'max_rows', 400_000), options.seed)
  convertDistance(table, step)
  console.log(`training on ${table.rows} of ${known.rows} rows with ${table.featureNames.length} features`)

  const model = trainBoostedTrees(table, options, (finished) => {
    if (finished % 10 === 0) showProgress(0.2 + (0.7 * finished) / options.trees, `${finished} trees`)
  })

  const { auc } = areaUnderCurve(predict(model, table.values), table.labels)
  const totalGain = model.gains.reduce((sum, gain) => sum + gain, 0)
  const report = {
    hyperparameters: { ...options, distance_unit: textParam(step, 'distance_unit', 'miles') },
    trees: model.trees.length,
    leaves: model.trees.reduce((sum, tree) => sum + tree.feature.filter((feature) => feature < 0).length, 0),
    training_rows: table.rows,
    training_auc: auc,
    feature_importances: model.featureNames
      .map((feature, index) => ({ feature, gain: (model.gains[index] ?? 0) / totalGain }))
      .sort((a, b) => b.gain - a.gain),
    signature: signature(table.featureNames.length),
  }
  await writeFile(outputPath(step, 'model'), writeOnnx(model, 'flight-delays'))
  await writeFile(outputPath(step, 'trees'), JSON.stringify(model))
  await writeFile(outputPath(step, 'profile'), JSON.stringify(profileFeatures(table), null, 2))
  await writeFile(outputPath(step, 'report'), JSON.stringify(report, null, 2))
  showProgress(1, `training AUC ${auc.toFixed(3)}`)
})

function boostingOptions(step: Step) {
  return {
    ...defaultBoosting,
    trees: numberParam(step, 'trees', defaultBoosting.trees),
    depth: numberParam(step, 'depth', defaultBoosting.depth),
    learningRate: numberParam(step, 'learning_rate', defaultBoosting.learningRate),
    seed: numberParam(step, 'seed', defaultBoosting.seed),
  }
}
