import { createReadStream, type ReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { readProtobuf } from '#algorithms/otlp/read-protobuf.ts'
import { mostPerSpan, type Span } from '#modules/traces/contract.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { type ArtifactPlaces, artifactFolders, requireArtifacts, unreadable } from './artifact-folders.ts'
import { instant } from './copied.ts'
import {
  costColumns,
  MlflowDataset,
  MlflowExperiment,
  MlflowLoggedModel,
  MlflowModel,
  MlflowPoint,
  MlflowRecord,
  MlflowRun,
  MlflowScorer,
  type MlflowSource,
  type MlflowTrace,
  MlflowVersion,
  MlflowWebhook,
  spansLocation,
  tokenColumns,
} from './mlflow-source.ts'
import { readStoredSpan, readTraceFile } from './read-spans.ts'
import { WireTrace } from './read-trace.ts'

type Row = Record<string, unknown>

/** An output of an evaluation record is kept within this, because it may be no object. */
const wrappedOutput = 'mlflow_wrapped'

/**
 * The SQLite file of an MLflow (mlflow/store/tracking/dbmodels/models.py), read without its server. Artifacts are found
 * where the rows say, if that is where files may be taken from.
 */
export async function openMlflowFile(file: string, places: ArtifactPlaces): Promise<MlflowSource> {
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(file, { readOnly: true })
  const tables = new Set(rows(`select name from sqlite_master where type = 'table'`).map(({ name }) => name))
  if (!tables.has('experiments') || !tables.has('runs')) {
    throw clientFailure('usage', `${file} is not the database of an MLflow`, {
      hint: 'Give the file that `mlflow server --backend-store-uri sqlite:///FILE` uses, or the URL of the server.',
    })
  }

  function rows(query: string, ...values: Array<string | number>): Row[] {
    return db.prepare(query).all(...values)
  }
  /** Of a table that older versions of MLflow do not have: nothing. */
  function rowsOf(table: string, query: string, ...values: Array<string | number>): Row[] {
    return tables.has(table) ? rows(query, ...values) : []
  }
  const find = artifactFolders(file, places)
  await requireArtifacts(fileRoots(), places.artifacts, find)

  /** Where files should be. Traces whose spans are in the database have seldom any. */
  function fileRoots(): string[] {
    const found = [
      rows('select artifact_uri as root from runs'),
      rowsOf('logged_models', 'select artifact_location as root from logged_models'),
      rowsOf(
        'trace_tags',
        `select value as root from trace_tags as of where key = 'mlflow.artifactLocation' and not exists
           (select 1 from trace_tags where request_id = of.request_id and key = '${spansLocation}')`,
      ),
    ]
    return found.flat().map(({ root }) => String(root))
  }
  const tags = (table: string, where: string, ...values: Array<string | number>) =>
    rowsOf(table, `select key, coalesce(value, '') as value from ${table} where ${where} order by key`, ...values)

  /** A NaN is a zero with a mark, and an infinity the largest number there is. */
  const point = ({ value, is_nan, ...rest }: Row): MlflowPoint => {
    const infinite = Math.abs(Number(value)) >= 1.7976931348623157e308
    const told = is_nan ? 'NaN' : infinite ? (Number(value) > 0 ? 'Infinity' : '-Infinity') : value
    return MlflowPoint.parse({ ...rest, value: told })
  }

  function runOf({ run_uuid, ...row }: Row): MlflowRun {
    const run = String(run_uuid)
    const inputs = rowsOf(
      'inputs',
      `select input_uuid, source_type, source_id, destination_id, step from inputs
       where (destination_type = 'RUN' and destination_id = ?) or (source_type in ('RUN_INPUT', 'RUN_OUTPUT') and source_id = ?)`,
      run,
      run,
    )
    const datasets = inputs
      .filter(({ source_type }) => source_type === 'DATASET')
      .flatMap(({ input_uuid, source_id }) =>
        rows(
          `select name, digest, dataset_source_type as source_type, dataset_source as source,
                  dataset_schema as schema, dataset_profile as profile from datasets where dataset_uuid = ?`,
          String(source_id),
        ).map((dataset) => ({
          dataset,
          tags: rowsOf(
            'input_tags',
            'select name as key, value from input_tags where input_uuid = ?',
            String(input_uuid),
          ),
        })),
      )
    const models = (kind: string) =>
      inputs
        .filter(({ source_type }) => source_type === kind)
        .map(({ destination_id, step }) => ({ model_id: destination_id, step }))
    return MlflowRun.parse({
      info: { ...row, run_id: run },
      data: {
        metrics: rows('select key, value, timestamp, step, is_nan from latest_metrics where run_uuid = ?', run).map(
          point,
        ),
        params: tags('params', 'run_uuid = ?', run),
        tags: tags('tags', 'run_uuid = ?', run),
      },
      inputs: { dataset_inputs: datasets, model_inputs: models('RUN_INPUT') },
      outputs: { model_outputs: models('RUN_OUTPUT') },
    })
  }

  function traceOf(row: Row): MlflowTrace {
    const id = String(row['request_id'])
    const promoted = promotedMetadata(row)
    const metadata = labels(tags('trace_request_metadata', 'request_id = ?', id))
    const name = row['trace_name'] == null ? {} : { 'mlflow.traceName': row['trace_name'] }
    return WireTrace.parse({
      ...row,
      trace_id: id,
      request_time: instant(Number(row['timestamp_ms'])),
      execution_duration: row['execution_time_ms'] == null ? null : `${Number(row['execution_time_ms']) / 1000}s`,
      state: row['status'],
      trace_metadata: { ...metadata, ...promoted },
      tags: { ...labels(tags('trace_tags', 'request_id = ?', id)), ...name },
      assessments: rowsOf(
        'assessments',
        'select * from assessments where trace_id = ? order by created_timestamp, assessment_id',
        id,
      ).map(wireAssessmentOf),
    })
  }

  /** Before version 3, and when they are archived, the spans of a trace are in a file. */
  async function filedSpans(itsTags: Readonly<Record<string, string>>): Promise<Span[]> {
    if (itsTags[spansLocation] === 'TRACKING_STORE') return []
    const archived = itsTags['mlflow.trace.archiveLocation']
    const location = archived ?? itsTags['mlflow.artifactLocation'] ?? ''
    const path = await find(location, archived === undefined ? 'traces.json' : 'traces.pb')
    if (path === undefined) return []
    const content = await readFile(path).catch((error: unknown) => {
      throw unreadable(path, error)
    })
    if (archived === undefined) return readTraceFile(content.toString())
    const { spans } = readProtobuf(content, { spans: Number.MAX_SAFE_INTEGER, perSpan: mostPerSpan })
    return spans.map(({ trace: _, ...span }) => span)
  }

  return {
    name: resolve(file),
    absent: new Set(),
    async *experiments() {
      for (const row of rows('select * from experiments order by experiment_id')) {
        const experiment_id = String(row['experiment_id'])
        const found = tags('experiment_tags', 'experiment_id = ?', experiment_id)
        yield MlflowExperiment.parse({ ...defined(row), experiment_id, tags: found })
      }
    },
    async *runs(experiment) {
      const query = `select run_uuid, experiment_id || '' as experiment_id, coalesce(name, '') as run_name,
        coalesce(user_id, '') as user_id, status, coalesce(start_time, 0) as start_time, end_time, lifecycle_stage,
        coalesce(artifact_uri, '') as artifact_uri from runs where experiment_id = ? order by start_time, run_uuid`
      for (const row of db.prepare(query).iterate(experiment)) yield runOf(row)
    },
    async *history(run, key) {
      const query = `select key, value, timestamp, step, is_nan from metrics
        where run_uuid = ? and key = ? order by step, timestamp, value`
      for (const row of db.prepare(query).iterate(run, key)) yield point(row)
    },
    async *loggedModels(experiment) {
      const states = ['', 'LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED']
      const query = `select *, experiment_id || '' as experiment_id from logged_models
        where experiment_id = ? and lifecycle_stage = 'active' order by creation_timestamp_ms, model_id`
      for (const row of rowsOf('logged_models', query, experiment)) {
        const id = String(row['model_id'])
        yield MlflowLoggedModel.parse({
          info: {
            ...defined(row),
            status: states[Number(row['status'])],
            artifact_uri: row['artifact_location'] ?? '',
            tags: rows('select tag_key as key, tag_value as value from logged_model_tags where model_id = ?', id),
          },
          data: {
            params: rows(
              'select param_key as key, param_value as value from logged_model_params where model_id = ?',
              id,
            ),
            metrics: rows(
              `select metric_name as key, metric_value as value, metric_timestamp_ms as timestamp, metric_step as step,
                      run_id, dataset_name, dataset_digest from logged_model_metrics where model_id = ?`,
              id,
            ),
          },
        })
      }
    },
    async *traces(experiment) {
      const query = 'select * from trace_info where experiment_id = ? order by timestamp_ms, request_id'
      if (!tables.has('trace_info')) return
      for (const row of db.prepare(query).iterate(experiment)) yield traceOf(row)
    },
    async spans(traces) {
      const found = new Map<string, Span[]>()
      for (const { trace, tags: itsTags } of traces) {
        const stored = rowsOf(
          'spans',
          "select content from spans where trace_id = ? and content <> '' order by start_time_unix_nano, span_id",
          trace,
        )
        found.set(
          trace,
          stored.length > 0 ? stored.map(({ content }) => readStoredSpan(content)) : await filedSpans(itsTags),
        )
      }
      return found
    },
    async attachment({ trace, tags: itsTags }, id) {
      const path = await find(itsTags['mlflow.artifactLocation'] ?? '', 'attachments', id)
      if (path !== undefined) return webStreamOf(createReadStream(path))
      const message = `The trace ${trace} refers to the attachment ${id}, which is not there`
      throw clientFailure('source_unreadable', message, { details: { status: 404 } })
    },
    async *linkedTraces(run) {
      const query = `select source_id from entity_associations
        where source_type = 'trace' and destination_type = 'run' and destination_id = ? order by source_id`
      for (const { source_id } of rowsOf('entity_associations', query, run)) yield String(source_id)
    },
    async *scorers(experiment) {
      const query = `select scorer_id, scorer_name, scorer_version, serialized_scorer, creation_time
        from scorers join scorer_versions using (scorer_id) where experiment_id = ? order by scorer_name, scorer_version`
      if (!tables.has('scorer_versions')) return
      for (const row of rowsOf('scorers', query, experiment)) yield MlflowScorer.parse(defined(row))
    },
    async *datasets() {
      const query = 'select * from evaluation_datasets order by created_time, dataset_id'
      for (const row of rowsOf('evaluation_datasets', query)) {
        const id = String(row['dataset_id'])
        const related = `select destination_id from entity_associations where source_type = 'evaluation_dataset'
          and source_id = ? and destination_type = 'experiment' order by destination_id`
        yield MlflowDataset.parse({
          ...defined(row),
          tags: labels(tags('evaluation_dataset_tags', 'dataset_id = ?', id)),
          experiment_ids: rowsOf('entity_associations', related, id).map(({ destination_id }) => destination_id),
        })
      }
    },
    async *records(dataset) {
      const query =
        'select * from evaluation_dataset_records where dataset_id = ? order by created_time, dataset_record_id'
      for (const row of db.prepare(query).iterate(dataset)) {
        const outputs: unknown = JSON.parse(String(row['outputs'] ?? 'null'))
        const wrapped = Object(outputs)
        const plain = Object.hasOwn(wrapped, wrappedOutput) ? Reflect.get(wrapped, wrappedOutput) : outputs
        yield MlflowRecord.parse({ ...defined(row), outputs: plain })
      }
    },
    async *webhooks() {
      const query = 'select * from webhooks where deleted_timestamp is null order by creation_timestamp, webhook_id'
      for (const row of rowsOf('webhooks', query)) {
        const id = String(row['webhook_id'])
        const events = rowsOf('webhook_events', 'select entity, action from webhook_events where webhook_id = ?', id)
        yield MlflowWebhook.parse({ ...defined(row), events })
      }
    },
    async *models() {
      const query = `select name, creation_time as creation_timestamp, last_updated_time as last_updated_timestamp,
        description from registered_models order by name`
      for (const row of rowsOf('registered_models', query)) {
        const name = String(row['name'])
        yield MlflowModel.parse({
          ...defined(row),
          tags: tags('registered_model_tags', 'name = ?', name),
          aliases: rowsOf(
            'registered_model_aliases',
            'select alias, version from registered_model_aliases where name = ? order by alias',
            name,
          ),
        })
      }
    },
    async *versions(model) {
      const query = `select name, version, creation_time as creation_timestamp, last_updated_time as last_updated_timestamp,
        description, current_stage, source, run_id from model_versions
        where name = ? and current_stage <> 'Deleted_Internal' order by version`
      for (const row of rows(query, model)) {
        const found = tags('model_version_tags', 'name = ? and version = ?', model, Number(row['version']))
        yield MlflowVersion.parse({ ...defined(row), tags: found })
      }
    },
    async versionRoot({ name, version, source }) {
      const [row] = rows('select * from model_versions where name = ? and version = ?', name, version)
      return { kind: 'version', id: name, root: String(row?.['storage_location'] || source) }
    },
    async *artifacts({ root }) {
      const folder = await find(root)
      if (folder === undefined) return
      const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        throw unreadable(folder, error)
      })
      for (const entry of found.sort((a, b) => (join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1))) {
        if (!entry.isFile()) continue
        const path = join(entry.parentPath, entry.name)
        const { size } = await stat(path).catch((error: unknown) => {
          throw unreadable(path, error)
        })
        yield { path: path.slice(folder.length + 1).replaceAll(sep, '/'), size }
      }
    },
    async open({ root }, path) {
      const place = await find(root, path)
      if (place === undefined) throw clientFailure('source_unreadable', `${path} of ${root} is not there any more`)
      return webStreamOf(createReadStream(place))
    },
    close: async () => db.close(),
  }
}

/** Metadata that newer versions keep in columns of their own, as their server writes it. */
function promotedMetadata(row: Row): Record<string, string> {
  const gathered = (columns: readonly string[], write: (value: number) => string) => {
    const parts = columns.flatMap((name) => (row[name] == null ? [] : [`"${name}": ${write(Number(row[name]))}`]))
    return parts.length === 0 ? undefined : `{${parts.join(', ')}}`
  }
  const tokens = gathered(tokenColumns, String)
  const cost = gathered(costColumns, pythonFloat)
  return {
    ...(row['session_id'] != null && { 'mlflow.trace.session': String(row['session_id']) }),
    ...(tokens !== undefined && { 'mlflow.trace.tokenUsage': tokens }),
    ...(cost !== undefined && { 'mlflow.trace.cost': cost }),
  }
}

/** A double as Python writes it: `1.0`, `1e-07`. */
function pythonFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e16) return `${value}.0`
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e16) return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

function wireAssessmentOf(row: Row) {
  const value: unknown = JSON.parse(String(row['value']))
  const kind = row['assessment_type']
  return {
    assessment_id: row['assessment_id'],
    assessment_name: row['name'],
    source: { source_type: row['source_type'], source_id: row['source_id'] ?? '' },
    create_time: instant(Number(row['created_timestamp'])),
    last_update_time: instant(Number(row['last_updated_timestamp'])),
    ...(kind === 'feedback' && { feedback: { value, error: JSON.parse(String(row['error'] ?? 'null')) } }),
    ...(kind === 'expectation' && { expectation: { value } }),
    ...(kind === 'issue' && { issue: value }),
    span_id: row['span_id'],
    rationale: row['rationale'],
    metadata: textsOf(JSON.parse(String(row['assessment_metadata'] ?? '{}'))),
    overrides: row['overrides'],
    valid: row['valid'] !== 0,
  }
}

function textsOf(fields: unknown): Record<string, string> {
  const entries = Object.entries(Object(fields))
  return Object.fromEntries(entries.map(([key, one]) => [key, typeof one === 'string' ? one : JSON.stringify(one)]))
}

function labels(tags: readonly Row[]): Record<string, string> {
  return Object.fromEntries(tags.map(({ key, value }) => [String(key), String(value)]))
}

/** What is null is not there. */
function defined(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
}

function webStreamOf(file: ReadStream): ReadableStream<Uint8Array> {
  const iterator = file[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: () => void file.destroy(),
  })
}
