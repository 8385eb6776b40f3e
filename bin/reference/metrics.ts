import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { createMetrics } from '#inference/metrics.ts'
import { createTelemetry } from '#platform/telemetry.ts'
import { plainText, table } from './table.ts'

const noReadings = {
  generation: () => 0,
  controlPlane: () => 'answering' as const,
  waiting: () => 0,
  workers: () => 0,
  pendingBytes: () => 0,
  unshippedBytes: () => 0,
}

/** What `/metrics` of either plane holds, read off the registries that the code fills. */
export async function metricsPage(): Promise<string> {
  const { registry } = await createTelemetry({ service: 'reference', otlpEndpoint: undefined })
  return `# Metrics

Either plane answers \`GET /metrics\` in the text format of Prometheus, without a token: keep the ports inside your
network. A worker answers on \`PAVE_WORKER_PORT\`. Besides these there are the usual ones of a process and of Node
(\`process_…\`, \`nodejs_…\`): memory, open files, lag of the event loop, garbage collection.

## Control plane and workers

${describe(registry)}

## Inference nodes

${describe(createMetrics(noReadings).registry)}

## What to alert on

| Expression | Meaning | Then |
| --- | --- | --- |
| \`up == 0\` | A process does not answer | [control plane down](../runbooks/control-plane-unreachable.md) |
| \`rate(pave_operation_duration_seconds_count{outcome="internal"}[5m]) > 0\` | Something broke inside Pave | the log of the control plane, with the trace id of the entry |
| \`pave_inference_control_plane{state="answering"} == 0\` | A node goes on alone | [node behind](../runbooks/node-behind.md) |
| \`max(pave_inference_plan_generation) - min(pave_inference_plan_generation) > 0\`, for two minutes, over the nodes of one environment | A node of that environment serves an older plan | [node behind](../runbooks/node-behind.md) |
| \`rate(pave_inference_prediction_log_dropped_total[5m]) > 0\` | Prediction records are given up | [disk full](../runbooks/disk-full.md) |
| \`rate(pave_inference_request_failures_total{reason=~"model_failed\\|features_unavailable\\|queue_full"}[5m]) > 0\` | Requests fail | [errors](errors.md#inference) |
`
}

function describe(registry: Registry): string {
  const rows = registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('pave_'))
    .map(({ name, help }) => {
      const metric = registry.getSingleMetric(name)
      return [`\`${name}\``, typeOf(metric), labelsOf(metric), unitOf(name), plainText(help)]
    })
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
  return table(['Name', 'Type', 'Labels', 'Unit', 'Meaning'], rows)
}

function typeOf(metric: unknown): string {
  if (metric instanceof Histogram) return 'histogram'
  if (metric instanceof Counter) return 'counter'
  if (metric instanceof Gauge) return 'gauge'
  throw new TypeError('A metric of a type that this page does not know')
}

/** prom-client keeps the declared names on the metric, and its types leave them out. */
function labelsOf(metric: unknown): string {
  if (typeof metric !== 'object' || metric === null || !('labelNames' in metric)) return ''
  const { labelNames } = metric
  return Array.isArray(labelNames) ? labelNames.map((label) => `\`${label}\``).join(', ') : ''
}

/** Prometheus has the unit in the name. */
function unitOf(name: string): string {
  return /_(seconds|bytes)(_total)?$/.exec(name)?.[1] ?? '1'
}
