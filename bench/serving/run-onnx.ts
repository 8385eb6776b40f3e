import { InferenceSession, Tensor } from 'onnxruntime-node'

// Microseconds of one call of the model on one row, by itself: MODEL, COLUMNS.

const [path = '', columns = ''] = process.argv.slice(2)
const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 })
const row = new Float32Array(Number(columns)).fill(0.5)
const call = () => session.run({ features: new Tensor('float32', row, [1, row.length]) }, ['probability'])
for (let index = 0; index < 2000; index++) await call()
const before = process.cpuUsage()
for (let index = 0; index < 5000; index++) await call()
const { user, system } = process.cpuUsage(before)
console.log((user + system) / 5000)
