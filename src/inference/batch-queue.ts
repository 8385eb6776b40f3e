import type { Tensor } from '#algorithms/tensors/datatypes.ts'

/** One call of a model, waiting for a worker. */
export interface Job {
  version: string
  inputs: readonly Tensor[]
  outputs: readonly string[]
  /** Rows along the first dimension when the job may run together with others of its version; 0 when it runs alone. */
  rows: number
  /** Times that it failed, or that a worker was lost while it ran this. */
  failures: number
  /** Set when somebody has given up on it. */
  settled: boolean
  resolve(tensors: Tensor[]): void
  reject(error: unknown): void
}

/** Jobs of one priority, first come first served between versions, batched inside one. */
export interface BatchQueue {
  push(job: Job): void
  /** Puts jobs back to the head, in their order. */
  unshift(jobs: readonly Job[]): void
  /** The next jobs of one version, together at most `maxRows` unless a single one has more. Empty when nothing waits. */
  take(maxRows: number): Job[]
  length(): number
}

export function createBatchQueue(): BatchQueue {
  const waiting: Job[] = []
  return {
    push: (job) => {
      waiting.push(job)
    },
    unshift: (jobs) => {
      waiting.unshift(...jobs)
    },
    length: () => waiting.length,
    take(maxRows) {
      let head = waiting.shift()
      while (head?.settled) head = waiting.shift()
      if (head === undefined) return []
      const batch = [head]
      let rows = head.rows
      if (!joins(head)) return batch
      let kept = 0
      for (const job of waiting) {
        if (job.settled) continue
        if (joins(job) && job.version === head.version && rows + job.rows <= maxRows) {
          batch.push(job)
          rows += job.rows
        } else {
          waiting[kept++] = job
        }
      }
      waiting.length = kept
      return batch
    },
  }
}

/** What failed once runs alone the second time, so that it cannot take others with it. */
function joins(job: Job): boolean {
  return job.rows > 0 && job.failures === 0
}

/** The inputs of several jobs as one call: rows one after the other. */
export function joinInputs(batch: readonly Job[]): Tensor[] {
  const [first] = batch
  if (first === undefined) return []
  if (batch.length === 1) return [...first.inputs]
  const rows = batch.reduce((sum, job) => sum + job.rows, 0)
  return first.inputs.map((input, index) => {
    const width = input.shape.slice(1).reduce((product, n) => product * n, 1)
    const data = new Float32Array(rows * width)
    let offset = 0
    for (const job of batch) {
      const part = job.inputs[index]?.data
      if (!(part instanceof Float32Array)) throw new TypeError('Only FP32 inputs are batched')
      data.set(part, offset)
      offset += part.length
    }
    return { ...input, shape: [rows, ...input.shape.slice(1)], data }
  })
}

/**
 * Gives each job its rows of the outputs.
 *
 * @throws when an output does not have one row for each input row
 */
export function splitOutputs(batch: readonly Job[], outputs: readonly Tensor[]): Tensor[][] {
  const rows = batch.reduce((sum, job) => sum + job.rows, 0)
  for (const { name, shape } of outputs) {
    if (rows > 0 && shape[0] !== rows) {
      throw new Error(`output ${name} has shape [${shape.join(', ')}] for ${rows} input rows`)
    }
  }
  if (batch.length === 1) return [[...outputs]]
  let start = 0
  return batch.map((job) => {
    const from = start
    start += job.rows
    return outputs.map(({ name, datatype, shape, data }) => {
      const width = shape.slice(1).reduce((product, n) => product * n, 1)
      return {
        name,
        datatype,
        shape: [job.rows, ...shape.slice(1)],
        data: data.slice(from * width, (from + job.rows) * width),
      }
    })
  })
}
