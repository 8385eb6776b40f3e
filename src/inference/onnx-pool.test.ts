import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Tensor } from '#algorithms/tensors/datatypes.ts'
import { createLogger } from '#platform/telemetry.ts'
import { createOnnxPool, type OnnxPool, type OnnxPoolOptions, type RunRequest } from './onnx-pool.ts'
import { until } from './test-node.ts'
import { linearModel } from './tiny-onnx.ts'

let directory: string
let pool: OnnxPool | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pave-pool-'))
})

afterEach(async () => {
  await pool?.close()
  pool = undefined
  await rm(directory, { recursive: true })
})

function open(options: Partial<OnnxPoolOptions> = {}): OnnxPool {
  pool = createOnnxPool({ workers: 1, log: createLogger('silent'), ...options })
  return pool
}

const load = (opened: OnnxPool, version: string, bytes: Uint8Array, input = 'features') =>
  opened.load(
    {
      version,
      signature: {
        inputs: [{ name: input, datatype: 'FP32', shape: [-1, 1] }],
        outputs: [{ name: 'score', datatype: 'FP32', shape: [-1, 1] }],
      },
      read: async () => bytes,
    },
    bytes,
  )

const times = (weight: number) => linearModel({ weights: [weight] })

const request = (version: string, value: number, rows = 1): RunRequest => ({
  version,
  inputs: [{ name: 'features', datatype: 'FP32', shape: [rows, 1], data: new Float32Array(rows).fill(value) }],
  outputs: ['score'],
  rows,
  timeoutMs: 5000,
})

const scores = (tensors: Tensor[]) => Array.from<number | bigint | string>(tensors[0]?.data ?? [])

/** A worker in the place of ONNX Runtime: what it does with a value is up to the test. */
async function program(onRun: string, onAny = ''): Promise<URL> {
  const path = join(directory, 'worker.mjs')
  await writeFile(
    path,
    `import { parentPort } from 'node:worker_threads'
    parentPort.on('message', async ({ id, kind, version, inputs }) => {
      const done = (tensors) => parentPort.postMessage({ id, tensors })
      const fail = (error) => parentPort.postMessage({ id, error })
      ${onAny}
      if (kind !== 'run') return done([])
      const [{ data, shape }] = inputs
      ${onRun}
      done([{ name: 'score', datatype: 'FP32', shape, data }])
    })`,
  )
  return pathToFileURL(path)
}

test('what waits while a worker is busy runs together, and each gets its own rows', async () => {
  const batches: number[] = []
  const opened = open({ onBatch: (_version, rows) => batches.push(rows) })
  await load(opened, 'a', times(2))
  await load(opened, 'b', times(3))
  const answers = await Promise.all([
    ...Array.from({ length: 20 }, (_, i) => opened.run(request('a', i, 1 + (i % 3)))),
    ...Array.from({ length: 10 }, (_, i) => opened.run(request('b', i))),
  ])
  for (let i = 0; i < 20; i++) expect(scores(answers[i] ?? [])).toEqual(new Array(1 + (i % 3)).fill(2 * i))
  for (let i = 0; i < 10; i++) expect(scores(answers[20 + i] ?? [])).toEqual([3 * i])
  expect(batches).toEqual([1, 38, 10])
})

test('a batch has at most 64 rows, unless one request has more', async () => {
  const batches: number[] = []
  const opened = open({ onBatch: (_version, rows) => batches.push(rows) })
  await load(opened, 'a', times(1))
  await Promise.all([1, 40, 40, 100, 20].map((rows) => opened.run(request('a', 1, rows))))
  expect(batches).toEqual([1, 60, 40, 100])
})

test('a graph that contradicts its signature or is none is refused, and the others stay', async () => {
  const opened = open({ workers: 2 })
  await load(opened, 'a', times(1))
  await expect(load(opened, 'b', times(1), 'other')).rejects.toMatchObject({
    code: 'version_unloadable',
    message: expect.stringContaining('no input other'),
  })
  await expect(load(opened, 'c', Buffer.from('PK'))).rejects.toMatchObject({ code: 'version_unloadable' })
  await expect(opened.run(request('b', 1))).rejects.toMatchObject({ code: 'model_failed' })
  expect(scores(await opened.run(request('a', 7)))).toEqual([7])
})

test('a row that the model cannot take does not fail those that it was batched with', async () => {
  const opened = open({ program: await program(`if (data.includes(13)) return fail('unlucky')`) })
  const results = await Promise.allSettled([1, 2, 13, 4].map((value) => opened.run(request('a', value))))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

test('a lost worker is replaced, what it ran is run once more, and its models are loaded again', async () => {
  const opened = open({
    program: await program(`if (data.includes(13)) process.exit(1)`),
  })
  const results = await Promise.allSettled([13, 1, 2].map((value) => opened.run(request('a', value))))
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  await until(() => opened.alive() === 1, 'the replacement')

  await pool?.close()
  const real = open({ workers: 2 })
  await load(real, 'a', times(5))
  expect(scores(await real.run(request('a', 2)))).toEqual([10])
})

test('what takes too long is given up by its caller', async () => {
  const opened = open({ program: await program('if (data.includes(13)) return') })
  await expect(opened.run({ ...request('a', 13), timeoutMs: 30 })).rejects.toMatchObject({
    code: 'inference_timeout',
    status: 504,
  })
})

test('shadows wait behind live requests and are dropped when many wait', async () => {
  const order: number[] = []
  const opened = open({ program: await program('') })
  await load(opened, 'a', times(1))
  const note = (value: number) => () => order.push(value)
  const runs = [opened.run(request('a', 0)).then(note(0))]
  let dropped = 0
  for (let i = 0; i < 300; i++) {
    const shadow = opened.runShadow(request('a', 2))
    if (shadow === undefined) dropped++
    else runs.push(shadow.then(note(2)))
  }
  runs.push(opened.run(request('a', 1)).then(note(1)))
  await Promise.all(runs)
  expect(order.slice(0, 3)).toEqual([0, 1, 2])
  expect(dropped).toBe(300 - 256)
})

test('models are loaded while others answer', async () => {
  const slowly = `if (kind === 'load' && version === 'b') return`
  const opened = open({ workers: 2, program: await program('', slowly) })
  await load(opened, 'a', times(1))
  const loading = load(opened, 'b', times(1)).catch(() => 'closed')
  expect(scores(await opened.run(request('a', 7)))).toEqual([7])
  await pool?.close()
  expect(await loading).toBe('closed')
})

test('a worker that hangs is left behind', async () => {
  const opened = open({ longestRunMs: 400, program: await program('if (data.includes(13)) while (true) {}') })
  const hanging = opened.run({ ...request('a', 13), timeoutMs: 20 })
  await expect(hanging).rejects.toMatchObject({ code: 'inference_timeout' })
  expect(scores(await opened.run(request('a', 7)))).toEqual([7])
})
