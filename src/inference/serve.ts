import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Clock } from '#platform/clock.ts'
import { openDataDirectory } from '#platform/data-directory.ts'
import type { Ids } from '#platform/ids.ts'
import { openOnlineStore } from '#platform/storage/online/open-online-store.ts'
import type { ServerTls } from '#platform/tls/server-tls.ts'
import { openArtifacts } from './artifacts.ts'
import { coalesce } from './coalesce.ts'
import { type ControlPlaneClient, createControlPlaneClient } from './control-plane-client.ts'
import { writeDurably } from './durable-file.ts'
import { type ControlPlaneState, followPlan, restorePlans } from './follow-plan.ts'
import { createHttpServer } from './http-server.ts'
import { drain, listen } from './listen.ts'
import { createMetrics } from './metrics.ts'
import { noOnlineStore } from './no-online-store.ts'
import { createOnnxPool } from './onnx-pool.ts'
import { loadNodeKey, watchOverrides } from './override.ts'
import { openPredictionLog, type PredictionLogOptions } from './prediction-log.ts'
import { createReconciler, type Reconciler } from './reconcile-plan.ts'
import { type ShippingOptions, startShipping } from './ship-segments.ts'
import { readTrustedKeys } from './verify-plan.ts'

export interface ServeOptions {
  environment: string
  /** Undefined for a node that was not told. */
  workspace?: string | undefined
  nodeName: string
  /** The node's own: the last good plan, artifacts, prediction segments, overrides. No two nodes share one. */
  directory: string
  listen: { host: string; port: number }
  /** Plain HTTP without it. */
  tls?: ServerTls | undefined
  controlUrl: string
  nodeToken: string
  /** One or several Ed25519 public keys in PEM that sign serving plans. */
  planPublicKey: string
  /** Without it, features that are looked up are unavailable. */
  onlineUrl: string | undefined
  onControlPlane?: (state: ControlPlaneState) => void
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

/** Starts an inference node. It serves from its own disk at once, and follows the control plane whenever that answers. */
export async function serve(options: ServeOptions): Promise<InferenceNode> {
  const { environment, nodeName, directory, log, clock, ids } = options
  await using started = new AsyncDisposableStack()
  const held = await openDataDirectory(directory, { command: `pave serve ${nodeName}` })
  started.defer(() => held.release())
  const keys = readTrustedKeys(options.planPublicKey)
  const nodeKey = await loadNodeKey(directory)
  const client = createControlPlaneClient({
    url: options.controlUrl,
    node: nodeName,
    token: options.nodeToken,
    environment,
  })
  const artifacts = await openArtifacts(join(directory, 'artifacts'), client.fetchObject)
  const online =
    options.onlineUrl === undefined ? noOnlineStore : await openOnlineStore(options.onlineUrl, { readOnly: true })
  started.defer(() => online.close())
  const workers = options.workers ?? Math.max(2, availableParallelism() - 1)
  const pool = createOnnxPool({ workers, log, onBatch: (version, rows) => metrics.batch(version, rows) })
  started.defer(() => pool.close())
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
    onDropped: (reason, records) => metrics.recordsDropped(reason, records),
    ...(options.limits?.shipping && { limits: options.limits.shipping }),
  })
  // Disposed in reverse: what is logged last is still shipped.
  started.defer(() => shipping.close())
  started.defer(() => predictions.close())

  let controlPlane: ControlPlaneState = 'answering'
  let ready = false
  let draining = false
  const reconciler = createReconciler({ pool, artifacts, log, onChange: changed })
  const metrics = createMetrics({
    generation: () => reconciler.table().generation,
    controlPlane: () => controlPlane,
    waiting: pool.waiting,
    workers: pool.alive,
    pendingBytes: predictions.pendingBytes,
    unshippedBytes: shipping.unshippedBytes,
  })
  const planFile = join(directory, 'plan.json')
  const persist = coalesce(async () => {
    try {
      await writeDurably(planFile, JSON.stringify(reconciler.documents()))
      if (!reconciler.loading()) await artifacts.keepOnly(reconciler.artifacts)
    } catch (error) {
      log.error({ err: error }, 'the serving plan cannot be kept on disk')
    }
  })
  const report = reporter({ client, reconciler, environment, log })
  function changed(): void {
    if (draining) return
    ready ||= reconciler.complete()
    void persist()
    void report()
  }

  const listening = createHttpServer({
    answering: { node: nodeName, pool, online, predictions, metrics, clock, ids },
    table: reconciler.table,
    ready: () => ready && !draining && pool.alive() > 0,
    draining: () => draining,
    tls: options.tls,
    log,
  })
  const address = await listen(listening.server, options.listen)
  const taking = { reconciler, keys, environment, workspace: options.workspace, log }
  await restorePlans(planFile, taking)
  const overrides = await watchOverrides({ directory, environment, key: nodeKey, log, onChange: reconciler.override })
  const stop = new AbortController()
  const following = followPlan({
    ...taking,
    client,
    signal: stop.signal,
    onQuiet: () => void report(),
    onControlPlane(state) {
      controlPlane = state
      options.onControlPlane?.(state)
    },
  })

  const resources = started.move()
  return {
    address,
    async close({ lingerMs = 0, deadlineMs = 10_000 } = {}) {
      draining = true
      overrides.close()
      stop.abort()
      await new Promise((resolve) => setTimeout(resolve, lingerMs))
      await drain(listening, deadlineMs)
      await following
      await persist()
      await resources.disposeAsync()
    },
  }
}

/** Tells the control plane what is loaded, when that is settled and news. */
function reporter(options: {
  client: ControlPlaneClient
  reconciler: Reconciler
  environment: string
  log: Logger
}): () => Promise<void> {
  const { client, reconciler, environment, log } = options
  let reported = ''
  return coalesce(async () => {
    const status = { environment, ...reconciler.status() }
    if (reconciler.loading() || status.generation === 0 || JSON.stringify(status) === reported) return
    try {
      await client.reportStatus(status)
      reported = JSON.stringify(status)
    } catch (error) {
      log.debug({ err: error }, 'the control plane did not take the status')
    }
  })
}
