import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { Tensor } from '#algorithms/tensors/datatypes.ts'
import type { ModelSignature } from '#algorithms/tensors/signature.ts'
import { type BatchQueue, createBatchQueue, type Job, joinInputs, splitOutputs } from './batch-queue.ts'
import { inferenceFailure } from './errors.ts'
import type { WorkerReply, WorkerRequest } from './onnx-messages.ts'

interface Model {
  /** What jobs name; unique among workspaces. */
  version: string
  signature: ModelSignature
  /** The graph, checked against its digest; asked for when a lost worker is replaced. */
  read(): Promise<Uint8Array>
}

export interface RunRequest {
  version: string
  inputs: readonly Tensor[]
  outputs: readonly string[]
  /** See `Job.rows`. */
  rows: number
  /** Milliseconds until `inference_timeout`. */
  timeoutMs: number
}

export interface OnnxPool {
  /** Loads and warms the model in every worker; until then it runs nowhere. `bytes` are what `model.read` answers. */
  load(model: Model, bytes: Uint8Array): Promise<void>
  unload(version: string): void
  run(request: RunRequest): Promise<Tensor[]>
  /** Runs when no live request waits; false when it was dropped because too many shadows wait already. */
  runShadow(request: RunRequest): Promise<Tensor[]> | undefined
  /** Live jobs that wait for a worker. */
  waiting(): number
  /** Workers that answer. */
  alive(): number
  close(): Promise<void>
}

export interface OnnxPoolOptions {
  workers: number
  log: Logger
  /** Called for every batch that a worker takes. */
  onBatch?: (version: string, rows: number) => void
  /** The worker's program; another one in tests. */
  program?: URL
  /** A worker that runs one batch for longer is given up; 30 s by default. */
  longestRunMs?: number
}

const mostRows = 64
/** Shadows take a worker for a shorter time, since a live request may arrive meanwhile. */
const mostShadowRows = 16
const mostShadows = 256
const restartDelayMs = [0, 100, 500, 1000]

interface PoolWorker {
  thread: Worker
  /** Running, loading, or not yet up: takes no batch. */
  busy: boolean
  alive: boolean
  /** Somebody who gets the worker next, before any batch. */
  reserved: (() => void) | undefined
  calls: Map<number, { resolve(tensors: Tensor[]): void; reject(error: unknown): void }>
}

/** A worker that ended with calls in flight. */
class WorkerLost extends Error {}

/**
 * Worker threads that hold every loaded model each. A batch goes out as soon as a worker is free, with whatever waits then:
 * nothing ever waits for a batch to fill. Models are loaded in one worker at a time while the others go on answering.
 */
export function createOnnxPool(options: OnnxPoolOptions): OnnxPool {
  const { log, longestRunMs = 30_000 } = options
  const program = options.program ?? new URL(`./onnx-worker${extname(import.meta.url)}`, import.meta.url)
  const models = new Map<string, Model>()
  const live = createBatchQueue()
  const shadow = createBatchQueue()
  const workers: PoolWorker[] = []
  let nextCall = 1
  let restarts = 0
  let closed = false
  let loading: Promise<unknown> = Promise.resolve()

  function start(): PoolWorker {
    const thread = new Worker(program, { name: 'onnx' })
    const worker: PoolWorker = { thread, busy: false, alive: true, reserved: undefined, calls: new Map() }
    thread.on('message', (reply: WorkerReply) => {
      const call = worker.calls.get(reply.id)
      worker.calls.delete(reply.id)
      if ('tensors' in reply) call?.resolve(reply.tensors)
      else call?.reject(new Error(reply.error))
    })
    thread.on('error', (error) => log.error({ err: error }, 'an ONNX worker broke'))
    thread.on('exit', () => lose(worker))
    workers.push(worker)
    return worker
  }

  function lose(worker: PoolWorker): void {
    if (!worker.alive) return
    worker.alive = false
    workers.splice(workers.indexOf(worker), 1)
    for (const call of worker.calls.values()) call.reject(new WorkerLost('the ONNX worker was lost'))
    worker.calls.clear()
    worker.reserved?.()
    if (!closed) void replace()
  }

  /** A thread inside a native call cannot be stopped, only left behind. */
  function giveUp(worker: PoolWorker): void {
    log.error('an ONNX worker hangs and is replaced')
    void worker.thread.terminate()
    lose(worker)
  }

  async function replace(): Promise<void> {
    const delay = restartDelayMs[Math.min(restarts++, restartDelayMs.length - 1)]
    await new Promise((resolve) => setTimeout(resolve, delay))
    if (closed) return
    const worker = start()
    worker.busy = true
    for (const model of models.values()) {
      try {
        await load(worker, model, await model.read())
      } catch (error) {
        log.error({ err: error, version: model.version }, 'a version cannot be loaded again')
      }
    }
    release(worker)
  }

  async function load(worker: PoolWorker, { version, signature }: Model, bytes: Uint8Array): Promise<void> {
    await send(worker, { id: nextCall++, kind: 'load', version, bytes, signature })
  }

  function send(worker: PoolWorker, request: WorkerRequest): Promise<Tensor[]> {
    return new Promise((resolve, reject) => {
      if (!worker.alive) throw new WorkerLost('the ONNX worker was lost')
      worker.calls.set(request.id, { resolve, reject })
      worker.thread.postMessage(request)
    })
  }

  /** Waits until the worker has no batch, and keeps it from taking one. */
  async function reserve(worker: PoolWorker): Promise<void> {
    if (worker.busy && worker.alive) {
      await new Promise<void>((resolve) => {
        worker.reserved = resolve
      })
    }
    worker.reserved = undefined
    worker.busy = true
  }

  function release(worker: PoolWorker): void {
    if (worker.reserved !== undefined) {
      worker.reserved()
    } else {
      worker.busy = false
      dispatch()
    }
  }

  function dispatch(): void {
    for (const worker of workers) {
      if (worker.busy || !worker.alive) continue
      const jobs = live.take(mostRows)
      const [batch, queue] = jobs.length > 0 ? [jobs, live] : [shadow.take(mostShadowRows), shadow]
      if (batch.length === 0) return
      worker.busy = true
      void runBatch(worker, batch, queue)
    }
  }

  async function runBatch(worker: PoolWorker, batch: readonly Job[], queue: BatchQueue): Promise<void> {
    const [first] = batch
    if (first === undefined) return
    options.onBatch?.(
      first.version,
      batch.reduce((sum, job) => sum + Math.max(job.rows, 1), 0),
    )
    const timer = setTimeout(() => giveUp(worker), longestRunMs)
    try {
      const request = { kind: 'run' as const, version: first.version, outputs: first.outputs }
      const outputs = await send(worker, { id: nextCall++, ...request, inputs: joinInputs(batch) })
      const parts = splitOutputs(batch, outputs)
      batch.forEach((job, index) => {
        job.resolve(parts[index] ?? [])
      })
    } catch (error) {
      queue.unshift(retryOrReject(batch, error))
    } finally {
      clearTimeout(timer)
      release(worker)
    }
  }

  /** A row that breaks its batch must not fail the others: each job is tried once more by itself. */
  function retryOrReject(batch: readonly Job[], error: unknown): Job[] {
    const retried = error instanceof WorkerLost || batch.length > 1
    return batch.filter((job) => {
      const again = retried && job.failures === 0
      if (!again) job.reject(inferenceFailure('model_failed', `${job.version}: ${messageOf(error)}`))
      job.failures++
      return again
    })
  }

  function enqueue(queue: BatchQueue, request: RunRequest): Promise<Tensor[]> {
    const { timeoutMs, ...work } = request
    return new Promise((resolve, reject) => {
      const job: Job = {
        ...work,
        failures: 0,
        settled: false,
        resolve(tensors) {
          clearTimeout(timer)
          job.settled = true
          resolve(tensors)
        },
        reject(error) {
          clearTimeout(timer)
          job.settled = true
          reject(error)
        },
      }
      const timer = setTimeout(
        () =>
          job.reject(inferenceFailure('inference_timeout', `${work.version} did not answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      queue.push(job)
      dispatch()
    })
  }

  async function loadEverywhere(model: Model, bytes: Uint8Array): Promise<void> {
    models.set(model.version, model)
    try {
      for (const worker of [...workers]) {
        await reserve(worker)
        try {
          if (worker.alive) await load(worker, model, bytes)
        } catch (error) {
          // The replacement of a lost worker loads every model anyway.
          if (closed || !(error instanceof WorkerLost)) throw error
        } finally {
          release(worker)
        }
      }
    } catch (error) {
      unload(model.version)
      throw inferenceFailure('version_unloadable', `${model.version} cannot be loaded: ${messageOf(error)}`)
    }
  }

  function unload(version: string): void {
    models.delete(version)
    for (const worker of workers) {
      send(worker, { id: nextCall++, kind: 'unload', version }).catch((error) =>
        log.debug({ err: error }, 'not unloaded'),
      )
    }
  }

  for (let i = 0; i < options.workers; i++) start()

  return {
    load(model, bytes) {
      const done = loading.then(() => loadEverywhere(model, bytes))
      loading = done.catch(() => undefined)
      return done
    },
    unload,
    run: (request) => enqueue(live, request),
    runShadow: (request) => (shadow.length() < mostShadows ? enqueue(shadow, request) : undefined),
    waiting: () => live.length(),
    alive: () => workers.filter((worker) => worker.alive).length,
    async close() {
      closed = true
      await Promise.all(workers.map(({ thread }) => thread.terminate()))
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
