import { createReadStream, type ReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import {
  type ArtifactRoot,
  MlflowExperiment,
  MlflowLoggedModel,
  MlflowModel,
  MlflowPoint,
  MlflowRun,
  type MlflowSource,
  MlflowVersion,
} from './mlflow-source.ts'

type Row = Record<string, unknown>

/**
 * The SQLite file of an MLflow (mlflow/store/tracking/dbmodels/models.py), read without its server. Artifacts are found
 * where the rows say; for those that a server kept, `artifacts` is the directory that it was given as --artifacts-destination.
 */
export async function openMlflowFile(file: string, { artifacts }: { artifacts: string }): Promise<MlflowSource> {
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

  /** Where on this machine an artifact URI of MLflow leads. */
  function folderOf({ root }: ArtifactRoot): string {
    const served = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*)$/.exec(root)?.[1]
    if (served !== undefined) return join(artifacts, decodeURIComponent(served))
    if (root.startsWith('file:')) return fileURLToPath(root.replace(/^file:(?!\/\/)/, 'file://'))
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(root)) {
      throw clientFailure('usage', `The artifacts are in ${root}, which is not on this machine`, {
        hint: 'Start the MLflow server and import from its URL: it reads them from there.',
      })
    }
    return resolve(dirname(file), root)
  }

  return {
    name: resolve(file),
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
            artifact_uri: row['artifact_location'],
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
    async *artifacts(root) {
      const folder = folderOf(root)
      const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
      for (const entry of found.sort((a, b) => (join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1))) {
        if (!entry.isFile()) continue
        const path = join(entry.parentPath, entry.name)
        yield { path: path.slice(folder.length + 1).replaceAll(sep, '/'), size: (await stat(path)).size }
      }
    },
    open: async (root, path) => webStreamOf(createReadStream(join(folderOf(root), path))),
    close: async () => db.close(),
  }
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
