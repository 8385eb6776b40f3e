import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import type { Clock } from '#platform/clock.ts'
import type { Ids } from '#platform/ids.ts'
import { openOnlineStore } from '#platform/storage/online/open-online-store.ts'
import { openArtifacts } from './artifacts.ts'
import { createControlPlaneClient } from './control-plane-client.ts'
import { unlessMissing, writeDurably } from './durable-file.ts'
import { followPlan, takePlan } from './follow-plan.ts'
import { createHttpServer } from './http-server.ts'
import { createMetrics } from './metrics.ts'
import { createOnnxPool } from './onnx-pool.ts'
import { loadNodeKey, readOverrides } from './override.ts'
import { openPredictionLog, type PredictionLogOptions } from './prediction-log.ts'
import { createReconciler } from './reconcile-plan.ts'
import { type ShippingOptions, startShipping } from './ship-segments.ts'
import { readTrustedKeys } from './verify-plan.ts'

export interface ServeOptions {
  environment: string
  nodeName: string
  /** The node's own: the last good plan, artifacts, prediction segments, overrides. No two nodes share one. */
  directory: string
  listen: { host: string; port: number }
  controlUrl: string
  nodeToken: string
  /** One or several Ed25519 public keys in PEM that sign serving plans. */
  planPublicKey: string
  onlineUrl: string
  /** ONNX threads. By default one for each core but the one that answers HTTP, and at least two: one may be loading. */
  workers?: number
  log: Logger
  clock: Clock
  ids: Ids
  limits?: { predictions?: PredictionLogOptions['limits']; shipping?: ShippingOptions['limits'] }
}

export interface InferenceNode {
  address: AddressInfo
  /**
   * Stops without dropping a request: not ready at once, new requests taken for `lingerMs` more so that load balancers
   * notice, those in flight finished within `deadlineMs`, prediction records on disk.
   */
  close(options?: { lingerMs?: number; deadlineMs?: number }): Promise<void>
}

const overrideEveryMs = 500

/** Starts an inference node. It serves from its own disk at once, and follows the control plane whenever that answers. */
export async function serve(options: ServeOptions): Promise<InferenceNode> {
  const { environment, nodeName, directory, log, clock, ids } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const keys = readTrustedKeys(options.planPublicKey)
  const nodeKey = await loadNodeKey(directory)
  const client = createControlPlaneClient({
    url: options.controlUrl,
    node: nodeName,
    token: options.nodeToken,
    environment,
  })
  const artifacts = await openArtifacts(join(directory, 'artifacts'), client.fetchObject)
  const online = await openOnlineStore(options.onlineUrl, { readOnly: true })
  const workers = options.workers ?? Math.max(2, availableParallelism() - 1)
  const pool = createOnnxPool({ workers, log, onBatch: (version, rows) => metrics.batch(version, rows) })
  const reconciler = createReconciler({ pool, artifacts, log, onChange: () => changed() })
  const predictions = await openPredictionLog({
    directory: join(directory, 'segments'),
    clock,
    ids,
    log,
    onDropped: (records) => metrics.recordsDropped('memory', records),
    ...(options.limits?.predictions && { limits: options.limits.predictions }),
  })
  const shipping = await startShipping({
    log: predictions,
    directory,
    send: client.sendRecords,
    logger: log,
    onDropped: (records) => metrics.recordsDropped('disk', records),
    ...(options.limits?.shipping && { limits: options.limits.shipping }),
  })
  const metrics = createMetrics({
    generation: () => reconciler.table().generation,
    waiting: pool.waiting,
    workers: pool.alive,
    pendingBytes: predictions.pendingBytes,
    unshippedBytes: shipping.unshippedBytes,
  })
  let ready = false
  let draining = false
  const planFile = join(directory, 'plan.json')

  const persist = coalesce(async () => {
    await writeDurably(planFile, JSON.stringify(reconciler.documents()))
    if (!reconciler.loading()) await artifacts.keepOnly(reconciler.artifacts)
  })
  let reported = ''
  const report = coalesce(async () => {
    const status = { environment, ...reconciler.status() }
    if (reconciler.loading() || status.generation === 0 || JSON.stringify(status) === reported) return
    await client.reportStatus(status)
    reported = JSON.stringify(status)
  })
  function changed(): void {
    ready ||= reconciler.complete()
    persist().catch((error: unknown) => log.error({ err: error }, 'the serving plan cannot be kept on disk'))
    announce()
  }
  function announce(): void {
    report().catch((error: unknown) => log.debug({ err: error }, 'the control plane did not take the status'))
  }

  const server = createHttpServer({
    answering: { node: nodeName, pool, online, predictions, metrics, clock, ids },
    table: reconciler.table,
    ready: () => ready && !draining && pool.alive() > 0,
    draining: () => draining,
    log,
  })
  server.listen(options.listen.port, options.listen.host)
  await once(server, 'listening')

  let knownOverrides = '[]'
  const watchOverrides = async () => {
    try {
      const overrides = await readOverrides(directory, environment, nodeKey)
      if (JSON.stringify(overrides) === knownOverrides) return
      knownOverrides = JSON.stringify(overrides)
      log.warn({ overrides }, 'local overrides changed')
      reconciler.override(overrides)
    } catch (error) {
      log.error({ err: error }, 'the local override is not taken')
    }
  }
  const overrideTimer = setInterval(() => void watchOverrides(), overrideEveryMs).unref()

  const stop = new AbortController()
  const taking = { reconciler, keys, environment, log }
  for (const document of await readPlans(planFile, log)) {
    try {
      takePlan(document, taking)
      await reconciler.settled()
    } catch (error) {
      log.error({ err: error }, 'a serving plan on disk is not taken')
    }
  }
  await watchOverrides()
  const following = followPlan({ ...taking, client, signal: stop.signal, onQuiet: announce })

  return {
    address: addressOf(server.address()),
    async close({ lingerMs = 0, deadlineMs = 10_000 } = {}) {
      draining = true
      clearInterval(overrideTimer)
      stop.abort()
      await new Promise((resolve) => setTimeout(resolve, lingerMs))
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs)
      await closed
      clearTimeout(deadline)
      await following
      await predictions.close()
      await shipping.close()
      await pool.close()
      await online.close()
    },
  }
}

/** Signed plans as they were kept, oldest first; none when the file is missing or torn. */
async function readPlans(path: string, log: Logger): Promise<unknown[]> {
  const text = await unlessMissing(readFile(path, 'utf8'))
  if (text === undefined) return []
  try {
    return z.array(z.unknown()).parse(JSON.parse(text))
  } catch (error) {
    log.error({ err: error }, 'the plan on disk cannot be read')
    return []
  }
}

/** Runs the work again when it was asked for meanwhile, never twice at once. */
function coalesce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let again = false
  return () => {
    if (running !== undefined) {
      again = true
      return running
    }
    running = (async () => {
      do {
        again = false
        await work()
      } while (again)
    })().finally(() => {
      running = undefined
    })
    return running
  }
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new TypeError('The server does not listen on a TCP port')
  return address
}
