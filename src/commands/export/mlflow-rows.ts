import { createHash } from 'node:crypto'
import type { Span } from '#modules/traces/contract.ts'
import { parseExactly } from '../import/exact-json.ts'
import type {
  MlflowDataset,
  MlflowExperiment,
  MlflowLoggedModel,
  MlflowModel,
  MlflowPoint,
  MlflowRecord,
  MlflowRun,
  MlflowScorer,
  MlflowVersion,
  MlflowWebhook,
} from '../import/mlflow-source.ts'
import { pythonJson } from './python-json.ts'

type Value = string | number | bigint | null
/** A table of MLflow's database, and a row of it by column. */
export type Row = readonly [table: string, row: Record<string, Value>]

const workspace = 'default'
/** What was copied from elsewhere to Pave begins anew with the next copy. */
const isOwn = (key: string) => !key.startsWith('pave.import.')

function pairs(table: string, tags: Readonly<Record<string, string>>, owner: Record<string, Value>): Row[] {
  return Object.entries(tags)
    .filter(([key]) => isOwn(key))
    .map(([key, value]) => [table, { key, value, ...owner }])
}

/** The same for the same thing in each export. */
const idOf = (...parts: readonly string[]) => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)

export function experimentRows({ experiment_id, tags, ...experiment }: MlflowExperiment): Row[] {
  const { name, lifecycle_stage, creation_time, last_update_time } = experiment
  const id = Number(experiment_id)
  const artifact_location = `mlflow-artifacts:/${experiment_id}`
  return [
    [
      'experiments',
      { experiment_id: id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace },
    ],
    ...pairs('experiment_tags', tags, { experiment_id: id }),
  ]
}

/** Without its histories. */
export function runRows({ info, data, inputs, outputs }: MlflowRun): Row[] {
  const run_uuid = info.run_id
  const ended = info.end_time || null
  const run: Row = [
    'runs',
    {
      run_uuid,
      name: info.run_name,
      source_type: 'UNKNOWN',
      source_name: '',
      entry_point_name: '',
      user_id: info.user_id,
      status: info.status,
      start_time: info.start_time,
      end_time: ended,
      source_version: '',
      lifecycle_stage: info.lifecycle_stage,
      artifact_uri: info.artifact_uri,
      experiment_id: Number(info.experiment_id),
      deleted_time: info.lifecycle_stage === 'deleted' ? (ended ?? info.start_time) : null,
    },
  ]
  const link = (kind: string, model_id: string, step: number): Row => [
    'inputs',
    {
      input_uuid: idOf('model', kind, run_uuid, model_id),
      source_type: `RUN_${kind}`,
      source_id: run_uuid,
      destination_type: `MODEL_${kind}`,
      destination_id: model_id,
      step,
    },
  ]
  return [
    run,
    ...pairs('params', data.params, { run_uuid }),
    ...pairs('tags', data.tags, { run_uuid }),
    ...data.metrics.map((point): Row => ['latest_metrics', metricRow(point, run_uuid)]),
    ...inputs.dataset_inputs.flatMap((input) => datasetInputRows(info, input)),
    ...inputs.model_inputs.map(({ model_id }) => link('INPUT', model_id, 0)),
    ...outputs.model_outputs.map(({ model_id, step }) => link('OUTPUT', model_id, step)),
  ]
}

type DatasetInput = MlflowRun['inputs']['dataset_inputs'][number]

function datasetInputRows({ run_id, experiment_id }: MlflowRun['info'], { dataset, tags }: DatasetInput): Row[] {
  const dataset_uuid = idOf('dataset', experiment_id, dataset.name, dataset.digest)
  const input_uuid = idOf('input', dataset_uuid, run_id)
  return [
    [
      'datasets',
      {
        dataset_uuid,
        experiment_id: Number(experiment_id),
        name: dataset.name,
        digest: dataset.digest,
        dataset_source_type: dataset.source_type,
        dataset_source: dataset.source,
        dataset_schema: dataset.schema ?? null,
        dataset_profile: dataset.profile ?? null,
      },
    ],
    [
      'inputs',
      {
        input_uuid,
        source_type: 'DATASET',
        source_id: dataset_uuid,
        destination_type: 'RUN',
        destination_id: run_id,
        step: 0,
      },
    ],
    ...Object.entries(tags).map(([name, value]): Row => ['input_tags', { input_uuid, name, value }]),
  ]
}

/** SQL has no NaN: it is a zero with a mark. An infinity is the largest number there is. */
export function metricRow({ key, value, timestamp, step }: MlflowPoint, run_uuid: string): Row[1] {
  return { key, value: finite(value) ?? 0, timestamp, run_uuid, step, is_nan: value === 'NaN' ? 1 : 0 }
}

function finite(value: MlflowPoint['value']): number | null {
  if (value === 'NaN') return null
  if (typeof value === 'number') return value
  return value === 'Infinity' ? Number.MAX_VALUE : -Number.MAX_VALUE
}

const modelStatuses = { LOGGED_MODEL_PENDING: 1, LOGGED_MODEL_READY: 2, LOGGED_MODEL_UPLOAD_FAILED: 3 } as const

export function loggedModelRows({ info, data }: MlflowLoggedModel): Row[] {
  const { model_id } = info
  const owner = { model_id, experiment_id: Number(info.experiment_id) }
  return [
    [
      'logged_models',
      {
        ...owner,
        name: info.name,
        artifact_location: info.artifact_uri,
        creation_timestamp_ms: info.creation_timestamp_ms,
        last_updated_timestamp_ms: info.last_updated_timestamp_ms,
        status: modelStatuses[info.status],
        lifecycle_stage: 'active',
        model_type: info.model_type,
        source_run_id: info.source_run_id ?? null,
      },
    ],
    ...Object.entries(data.params).map(
      ([param_key, param_value]): Row => ['logged_model_params', { ...owner, param_key, param_value }],
    ),
    ...Object.entries(info.tags)
      .filter(([key]) => isOwn(key))
      .map(([tag_key, tag_value]): Row => ['logged_model_tags', { ...owner, tag_key, tag_value }]),
    ...data.metrics.map((point): Row => {
      const { dataset_name = null, dataset_digest = null } = point
      const known = dataset_name !== null && dataset_digest !== null
      return [
        'logged_model_metrics',
        {
          ...owner,
          metric_name: point.key,
          metric_timestamp_ms: point.timestamp,
          metric_step: point.step,
          metric_value: finite(point.value),
          run_id: point.run_id,
          dataset_uuid: known ? idOf('dataset', info.experiment_id, dataset_name, dataset_digest) : null,
          dataset_name,
          dataset_digest,
        },
      ]
    }),
  ]
}

export function modelRows({ name, tags, aliases, ...model }: MlflowModel): Row[] {
  const { creation_timestamp: creation_time, last_updated_timestamp: last_updated_time, description } = model
  return [
    ['registered_models', { name, creation_time, last_updated_time, description, workspace }],
    ...pairs('registered_model_tags', tags, { name, workspace }),
    ...aliases.map(({ alias, version }): Row => ['registered_model_aliases', { alias, version, name, workspace }]),
  ]
}

export function versionRows(version: MlflowVersion): Row[] {
  const { name, source, run_id, model_id } = version
  const stored = /^models:\/(m-[0-9a-f]{32})$/.exec(source)?.[1] ?? model_id
  return [
    [
      'model_versions',
      {
        name,
        version: version.version,
        creation_time: version.creation_timestamp,
        last_updated_time: version.last_updated_timestamp,
        description: version.description,
        current_stage: version.current_stage,
        source: stored ? `models:/${stored}` : source,
        run_id: run_id || null,
        status: 'READY',
        workspace,
      },
    ],
    ...pairs('model_version_tags', version.tags, { name, version: version.version, workspace }),
  ]
}

export function scorerRows(experiment: string, scorer: MlflowScorer): Row[] {
  const { scorer_id, scorer_name, scorer_version, serialized_scorer, creation_time } = scorer
  return [
    ['scorers', { experiment_id: Number(experiment), scorer_name, scorer_id }],
    ['scorer_versions', { scorer_id, scorer_version, serialized_scorer, creation_time }],
  ]
}

export function datasetRows(dataset: MlflowDataset): Row[] {
  const { dataset_id, name, schema, profile, digest, created_time, last_update_time } = dataset
  const author = dataset.tags?.['mlflow.user'] ?? null
  return [
    [
      'evaluation_datasets',
      {
        ...{ dataset_id, name, schema: schema ?? null, profile: profile ?? null, digest: digest ?? null },
        ...{ created_time, last_update_time, created_by: author, last_updated_by: author, workspace },
      },
    ],
    ...pairs('evaluation_dataset_tags', dataset.tags ?? {}, { dataset_id }),
    ...dataset.experiment_ids.map((experiment) =>
      association({ type: 'evaluation_dataset', id: dataset_id }, { type: 'experiment', id: experiment }, created_time),
    ),
  ]
}

interface Associated {
  type: string
  id: string
}

export function association(from: Associated, to: Associated, created_time: number | null): Row {
  return [
    'entity_associations',
    {
      association_id: idOf(from.type, from.id, to.type, to.id),
      source_type: from.type,
      source_id: from.id,
      destination_type: to.type,
      destination_id: to.id,
      created_time,
    },
  ]
}

export function recordRow(dataset_id: string, record: MlflowRecord): Row {
  const { inputs, outputs, expectations, tags, source, created_time, last_update_time } = record
  const json = (value: unknown) => (value == null ? null : pythonJson(value, { ascii: true }))
  const from = new Map(Object.entries(Object(source)))
  const data = new Map(Object.entries(Object(from.get('source_data'))))
  const source_id = data.get('trace_id') ?? data.get('source_id')
  const author = tags?.['mlflow.user'] ?? null
  return [
    'evaluation_dataset_records',
    {
      dataset_record_id: record.dataset_record_id,
      dataset_id,
      inputs: pythonJson(inputs, { ascii: true }),
      outputs: outputs == null ? null : json({ mlflow_wrapped: outputs }),
      expectations: json(expectations),
      tags: json(tags),
      source: json(source),
      source_id: typeof source_id === 'string' ? source_id : null,
      source_type: source == null ? null : String(from.get('source_type') ?? 'UNSPECIFIED'),
      ...{ created_time, last_update_time, created_by: author, last_updated_by: author },
      input_hash: createHash('sha256')
        .update(pythonJson(inputs, { ascii: true, sorted: true }))
        .digest('hex'),
    },
  ]
}

/** Nobody is told the secret of a webhook, so it is unsigned and does not send until somebody sets it. */
export function webhookRows({ webhook_id, name, description, url, events, ...webhook }: MlflowWebhook): Row[] {
  const { creation_timestamp, last_updated_timestamp } = webhook
  const id = webhook_id ?? idOf('webhook', name, url)
  const times = { creation_timestamp, last_updated_timestamp }
  return [
    ['webhooks', { webhook_id: id, name, description, url, status: 'DISABLED', ...times, workspace }],
    ...events.map(({ entity, action }): Row => ['webhook_events', { webhook_id: id, entity, action }]),
  ]
}

const statusCodes = { unset: 'UNSET', ok: 'OK', error: 'ERROR' } as const

export function spanRow(trace: string, experiment: string, span: Span): Row {
  const attributes = new Map(Object.entries(Object(parseExactly(span.attributes))))
  const text = (key: string) => {
    const value = attributes.get(key)
    return typeof value === 'string' ? value.slice(0, 500) : null
  }
  const costs = new Map(Object.entries(Object(attributes.get('mlflow.llm.cost'))))
  const cost = (key: string) => numberOf(costs.get(key))
  return [
    'spans',
    {
      trace_id: trace,
      experiment_id: Number(experiment),
      span_id: span.span,
      parent_span_id: span.parent,
      name: span.name,
      type: text('mlflow.spanType') ?? 'UNKNOWN',
      status: statusCodes[span.status],
      start_time_unix_nano: BigInt(span.start),
      end_time_unix_nano: span.end === null ? null : BigInt(span.end),
      content: pythonJson(storedSpan(trace, span, attributes)),
      input_cost: cost('input_cost'),
      output_cost: cost('output_cost'),
      total_cost: cost('total_cost'),
      model_name: text('mlflow.llm.model'),
      model_provider: text('mlflow.llm.provider'),
    },
  ]
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'object' && value !== null && 'rawJSON' in value ? Number(value.rawJSON) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
const exact = (digits: string) => parseExactly(digits)

/** As `Span.to_dict` of MLflow writes it: each attribute as a text of JSON. */
function storedSpan(trace: string, span: Span, attributes: ReadonlyMap<string, unknown>) {
  const own = [...attributes].map(([key, value]) => [key, pythonJson(value)])
  return {
    trace_id: base64(trace.slice('tr-'.length)),
    span_id: base64(span.span),
    parent_span_id: span.parent === null ? null : base64(span.parent),
    name: span.name,
    start_time_unix_nano: exact(span.start),
    end_time_unix_nano: span.end === null ? null : exact(span.end),
    events: span.events.map((event) => ({
      name: event.name,
      time_unix_nano: exact(event.time),
      attributes: parseExactly(event.attributes),
    })),
    status: { code: `STATUS_CODE_${statusCodes[span.status]}`, message: span.message },
    // The client finds out by this attribute which trace a span is of.
    attributes: { 'mlflow.traceRequestId': JSON.stringify(trace), ...Object.fromEntries(own) },
    links: span.links.map((link) => ({
      trace_id: `tr-${link.trace}`,
      span_id: link.span,
      attributes: parseExactly(link.attributes),
    })),
  }
}
