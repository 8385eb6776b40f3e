import type { Span } from '#modules/traces/contract.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import type { MlflowExperiment, MlflowLoggedModel, MlflowPoint, MlflowRun, MlflowTrace } from './mlflow-source.ts'

// What must be alike in a thing and its copy, each aspect under its name. Where things lie is none.

export function experimentAspects({ lifecycle_stage, creation_time, tags }: MlflowExperiment) {
  return { state: lifecycle_stage, created: creation_time, tags: ownTags(tags) }
}

/** Without what Pave says itself, and where files lie. */
export function ownTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  const elsewhere = new Set(['mlflow.user', 'mlflow.artifactLocation', 'mlflow.trace.spansLocation'])
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('pave.') && !elsewhere.has(key)))
}

export function runAspects({ info, data, inputs, outputs }: MlflowRun) {
  return {
    name: info.run_name || data.tags['mlflow.runName'] || `run-${info.run_id.slice(-8)}`,
    user: info.user_id || data.tags['mlflow.user'] || '',
    status: info.status,
    state: info.lifecycle_stage,
    started: info.start_time,
    ended: info.end_time || null,
    params: data.params,
    tags: { ...ownTags(data.tags), 'mlflow.runName': '' },
    metrics: data.metrics.map(({ key }) => key).sort(),
    datasets: inputs.dataset_inputs.map((one) => canonicalJson(JSON.parse(JSON.stringify(one)))).sort(),
    inputs: inputs.model_inputs.map(({ model_id }) => model_id).sort(),
    outputs: outputs.model_outputs.map(({ model_id }) => model_id).sort(),
  }
}

export function pointText({ value, step, timestamp }: MlflowPoint): string {
  const infinite = typeof value === 'number' && Math.abs(value) >= Number.MAX_VALUE
  return `${step} ${timestamp} ${infinite ? (value > 0 ? 'Infinity' : '-Infinity') : value}`
}

export function loggedModelAspects({ info, data }: MlflowLoggedModel) {
  return {
    name: info.name,
    type: info.model_type,
    status: info.status,
    run: info.source_run_id ?? '',
    created: info.creation_timestamp_ms,
    params: data.params,
    tags: ownTags(info.tags),
    metrics: data.metrics.map((one) => `${one.run_id} ${one.key} ${one.dataset_name ?? ''} ${pointText(one)}`).sort(),
  }
}

/** What Pave adds up from spans where nobody else did is no difference. */
export function traceAspects(trace: MlflowTrace, theirs: MlflowTrace) {
  const metadata = Object.entries(trace.metadata)
    .filter(([key]) => key in theirs.metadata || !derived.has(key))
    .map(([key, value]) => [key, derived.has(key) ? jsonOr(value) : value])
  return {
    state: trace.state,
    started: trace.startedAt,
    duration: trace.durationMs,
    request: [trace.clientRequest, trace.requestPreview],
    response: trace.responsePreview,
    tags: ownTags(trace.tags),
    metadata: Object.fromEntries(metadata),
    assessment: Object.fromEntries(trace.assessments.map((one) => [one.assessment, one])),
  }
}

const derived = new Set(['mlflow.trace.tokenUsage', 'mlflow.trace.cost'])

export function spanAspects(spans: readonly Span[]): Record<string, unknown> {
  const read = spans.map(({ attributes, events, links, kind: _, ...span }) => ({
    ...span,
    attributes: jsonOr(attributes),
    events: events.map((event) => ({ ...event, attributes: jsonOr(event.attributes) })),
    links: links.map((link) => ({ ...link, attributes: jsonOr(link.attributes) })),
  }))
  return Object.fromEntries(read.map((span) => [span.span, span]))
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
