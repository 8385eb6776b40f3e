import { InferenceSession, Tensor } from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { defaultBoosting, predict, seededRandom, trainBoostedTrees } from './boosted-trees.ts'
import { signature, writeOnnx } from './write-onnx.ts'

test('onnxruntime gives the probabilities of the trees, also at thresholds and with missing values', async () => {
  const random = seededRandom(1)
  const rows = 3000
  const featureNames = ['share', 'count', 'gaps']
  // Few distinct values, so that most of them are thresholds.
  const values = Float32Array.from({ length: rows * 3 }, (_, cell) => {
    if (random() < 0.1) return Number.NaN
    return cell % 3 === 1 ? Math.floor(random() * 500) : Math.floor(random() * 30) / 29
  })
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const [share = 0, count = 0] = values.subarray(row * 3)
    return random() < (share > 0.3 !== count > 200 ? 0.8 : 0.2) ? 1 : 0
  })
  const model = trainBoostedTrees(
    { featureNames, rows, values, labels },
    { ...defaultBoosting, trees: 40, minLeafWeight: 2 },
  )
  const session = await InferenceSession.create(writeOnnx(model, 'test'))
  const { probability } = await session.run({ features: new Tensor('float32', values, [rows, 3]) })
  expect(probability?.dims).toEqual([rows, 1])
  const served = [...(probability?.data ?? [])].map(Number)
  const walked = predict(model, values)
  expect(new Set(walked).size).toBeGreaterThan(500)
  expect(Math.max(...walked.map((value, row) => Math.abs(value - (served[row] ?? 1))))).toBeLessThan(1e-6)
  expect(session.inputNames).toEqual(signature(3).inputs.map((input) => input.name))
  expect(session.outputNames).toEqual(signature(3).outputs.map((output) => output.name))
})
