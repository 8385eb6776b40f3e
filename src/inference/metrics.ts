import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Route } from './compile-endpoint.ts'
import type { ControlPlaneState } from './follow-plan.ts'

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

const states: readonly ControlPlaneState[] = ['answering', 'unreachable', 'refused']

/** What Prometheus reads at `/metrics`. The batch size is rows over executions, as with Triton's metrics. */
export interface Metrics {
  registry: Registry
  answered(endpoint: string, route: Route, status: string, rows: number, durationSeconds: number): void
  refused(endpoint: string, reason: string): void
  batch(version: string, rows: number): void
  featuresComputed(endpoint: string, durationSeconds: number): void
  shadowDropped(endpoint: string): void
  recordsDropped(reason: 'memory' | 'disk' | 'refused', records: number): void
}

/** Values that are read when somebody asks. */
export interface Readings {
  generation(): number
  controlPlane(): ControlPlaneState
  waiting(): number
  workers(): number
  pendingBytes(): number
  unshippedBytes(): number
}

export function createMetrics(readings: Readings): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name: `pave_inference_${name}`, help, labelNames, registers })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `pave_inference_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })

  const requests = counter('requests_total', 'Requests answered from a version, fallbacks included', [
    'endpoint',
    'version',
    'variant',
    'status',
  ])
  const rowsTotal = counter('rows_total', 'Rows answered from a version', ['endpoint', 'version', 'variant'])
  const failures = counter('request_failures_total', 'Requests that were refused or failed', ['endpoint', 'reason'])
  const duration = new Histogram({
    name: 'pave_inference_request_duration_seconds',
    help: "From a request's last byte to its answer's first",
    labelNames: ['endpoint', 'variant'],
    buckets: seconds,
    registers,
  })
  const batchRows = new Histogram({
    name: 'pave_inference_batch_rows',
    help: 'Rows that a worker ran at once',
    labelNames: ['version'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 256, 1024],
    registers,
  })
  const lookup = new Histogram({
    name: 'pave_inference_feature_duration_seconds',
    help: "From a request's last byte until its features are computed",
    labelNames: ['endpoint'],
    buckets: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1],
    registers,
  })
  const shadowDrops = counter('shadow_dropped_total', 'Shadow copies dropped because the node was busy', ['endpoint'])
  const recordDrops = counter('prediction_log_dropped_total', 'Prediction records that were given up', ['reason'])
  gauge('plan_generation', 'Generation of the serving plan in force', readings.generation)
  new Gauge({
    name: 'pave_inference_control_plane',
    help: 'How the control plane answers this node: 1 for the state that it is in',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of states) this.set({ state }, readings.controlPlane() === state ? 1 : 0)
    },
  })
  gauge('queue_length', 'Requests waiting for a worker', readings.waiting)
  gauge('workers', 'ONNX workers that answer', readings.workers)
  gauge('prediction_log_pending_bytes', 'Prediction records in memory', readings.pendingBytes)
  gauge('prediction_log_unshipped_bytes', 'Prediction records on disk that were not shipped', readings.unshippedBytes)

  // Labels are resolved once for each route: with its lookup, prom-client is a visible part of a request.
  const forRoute = memoize((route: Route, endpoint: string) => {
    const { variant, version } = route
    const labels = { endpoint, version: version.ref, variant }
    return {
      statuses: new Map<string, ReturnType<typeof requests.labels>>(),
      labels,
      rows: rowsTotal.labels(labels),
      duration: duration.labels({ endpoint, variant }),
    }
  })

  return {
    registry,
    answered(endpoint, route, status, rows, durationSeconds) {
      const bound = forRoute(route, endpoint)
      let count = bound.statuses.get(status)
      if (count === undefined) {
        count = requests.labels({ ...bound.labels, status })
        bound.statuses.set(status, count)
      }
      count.inc()
      bound.rows.inc(rows)
      bound.duration.observe(durationSeconds)
    },
    refused: (endpoint, reason) => failures.inc({ endpoint, reason }),
    batch: (version, rows) => batchRows.observe({ version }, rows),
    featuresComputed: (endpoint, durationSeconds) => lookup.observe({ endpoint }, durationSeconds),
    shadowDropped: (endpoint) => shadowDrops.inc({ endpoint }),
    recordsDropped: (reason, records) => recordDrops.inc({ reason }, records),
  }
}

function memoize<K extends object, T>(make: (key: K, name: string) => T): (key: K, name: string) => T {
  const made = new WeakMap<K, T>()
  return (key, name) => {
    let value = made.get(key)
    if (value === undefined) {
      value = make(key, name)
      made.set(key, value)
    }
    return value
  }
}
