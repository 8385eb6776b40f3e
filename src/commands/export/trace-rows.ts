import type { Span } from '#modules/traces/contract.ts'
import { costColumns, type MlflowTrace, tokenColumns } from '../import/mlflow-source.ts'
import { type Row, spanRow } from './mlflow-rows.ts'
import { pythonJson } from './python-json.ts'

const states = { unspecified: 'STATE_UNSPECIFIED', in_progress: 'IN_PROGRESS', ok: 'OK', error: 'ERROR' } as const
const sources = {
  human: 'HUMAN',
  llm_judge: 'LLM_JUDGE',
  code: 'CODE',
  unspecified: 'SOURCE_TYPE_UNSPECIFIED',
} as const
/** Metadata that MLflow keeps in columns of the trace, where it can add them up. */
const promoted = new Set(['mlflow.trace.session', 'mlflow.trace.tokenUsage', 'mlflow.trace.cost'])

export function traceRows(experiment: string, trace: MlflowTrace, spans: readonly Span[]): Row[] {
  const { 'mlflow.traceName': name = null, ...tags } = trace.tags
  const owner = { request_id: trace.trace }
  const kept = {
    ...tags,
    'mlflow.trace.spansLocation': 'TRACKING_STORE',
    'mlflow.artifactLocation': `mlflow-artifacts:/${experiment}/traces/${trace.trace}/artifacts`,
  }
  return [
    [
      'trace_info',
      {
        ...owner,
        experiment_id: Number(experiment),
        timestamp_ms: trace.startedAt,
        execution_time_ms: trace.durationMs,
        status: states[trace.state],
        client_request_id: trace.clientRequest,
        request_preview: trace.requestPreview,
        response_preview: trace.responsePreview,
        trace_name: name,
        session_id: trace.metadata['mlflow.trace.session'] ?? null,
        ...counted(trace.metadata['mlflow.trace.tokenUsage'], tokenColumns),
        ...counted(trace.metadata['mlflow.trace.cost'], costColumns),
      },
    ],
    ...Object.entries(kept)
      .filter(([key]) => !key.startsWith('pave.import.'))
      .map(([key, value]): Row => ['trace_tags', { key, value, ...owner }]),
    ...Object.entries(trace.metadata)
      .filter(([key]) => !promoted.has(key))
      .map(([key, value]): Row => ['trace_request_metadata', { key, value, ...owner }]),
    ...spans.map((span) => spanRow(trace.trace, experiment, span)),
    ...trace.assessments.map((assessment) => assessmentRow(experiment, trace, assessment)),
  ]
}

function counted(json: string | undefined, columns: readonly string[]): Record<string, number | null> {
  let fields = new Map<string, unknown>()
  try {
    fields = new Map(Object.entries(Object(JSON.parse(json ?? '{}'))))
  } catch {
    // What cannot be read counts nothing, there as here.
  }
  return Object.fromEntries(
    columns.map((column) => {
      const value = fields.get(column)
      return [column, typeof value === 'number' && Number.isFinite(value) ? value : null]
    }),
  )
}

function assessmentRow(experiment: string, trace: MlflowTrace, one: MlflowTrace['assessments'][number]): Row {
  const value = one.kind === 'issue' ? { issue_name: String(one.value ?? '') } : one.value
  const { error } = one
  const fault = error && { error_code: error.code, error_message: error.message, stack_trace: error.stack || null }
  const empty = Object.keys(one.metadata).length === 0
  return [
    'assessments',
    {
      assessment_id: one.assessment,
      trace_id: trace.trace,
      name: one.name,
      assessment_type: one.kind,
      value: pythonJson(value, { ascii: true }),
      error: fault ? pythonJson(fault, { ascii: true }) : null,
      created_timestamp: Date.parse(one.createdAt),
      last_updated_timestamp: Date.parse(one.updatedAt),
      source_type: sources[one.source.type],
      source_id: one.source.id,
      run_id: one.metadata['mlflow.assessment.sourceRunId'] ?? null,
      span_id: one.span,
      rationale: one.rationale,
      overrides: one.overrides,
      valid: one.valid ? 1 : 0,
      assessment_metadata: empty ? null : pythonJson(one.metadata, { ascii: true }),
      experiment_id: Number(experiment),
      trace_timestamp_ms: trace.startedAt,
      ...aggregate(value),
    },
  ]
}

/** What MLflow adds up: numbers, and yes and no. */
function aggregate(value: unknown): { aggregate_value: number | null; is_numeric_value: number } {
  if (typeof value === 'number') return { aggregate_value: value, is_numeric_value: 1 }
  const told = typeof value === 'boolean' ? value : { yes: true, no: false }[String(value).trim().toLowerCase()]
  const isTold = typeof value === 'boolean' || typeof value === 'string'
  return { aggregate_value: isTold && told !== undefined ? Number(told) : null, is_numeric_value: 0 }
}
