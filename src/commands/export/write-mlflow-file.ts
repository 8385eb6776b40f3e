import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { getTraceAttachment } from '#modules/traces/contract.ts'
import { PaveError } from '#platform/errors.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import type {
  ArtifactRoot,
  MlflowExperiment,
  MlflowSource,
  MlflowTrace,
  MlflowVersion,
} from '../import/mlflow-source.ts'
import type { Progress } from '../import/progress.ts'
import { attachmentsOf } from '../import/read-spans.ts'
import { copyArtifacts, makeDurable, writeFileOnce } from './copy-artifacts.ts'
import * as rows from './mlflow-rows.ts'
import { mlflowSchema } from './mlflow-schema.ts'
import { traceRows } from './trace-rows.ts'

export interface Exported {
  experiments: number
  runs: number
  points: number
  loggedModels: number
  traces: number
  spans: number
  models: number
  versions: number
  datasets: number
  records: number
  scorers: number
  webhooks: number
  files: number
  bytes: number
  /** Files that were in the folder already, with the content that they have here. */
  unchangedFiles: number
  /** What spans refer to and could not be written. */
  problems: Array<{ what: string; code: string; message: string }>
}

interface Exporting extends Pick<Progress, 'say' | 'tick'> {
  source: MlflowSource
  client: Client
  file: string
  /** The folder that a server is given as --artifacts-destination. */
  artifacts: string
}

const groupOfTraces = 25

/**
 * Writes what the source holds as the database of an MLflow server and the folder of its artifacts. The database appears
 * under its name when it is complete: it tells of one time, so one that was left half written is begun anew. Files, of
 * which there is most, are told by their digests and not copied twice.
 */
export async function writeMlflowFile(exporting: Exporting): Promise<Exported> {
  const { file } = exporting
  if (existsSync(file)) {
    throw clientFailure('usage', `${file} is there already`, {
      hint: 'An export overwrites no database: name another file, or take that one away. Artifacts may be there.',
    })
  }
  const { DatabaseSync } = await import('node:sqlite')
  const partial = `${file}.partial`
  await mkdir(dirname(file), { recursive: true })
  await rm(partial, { force: true })
  const db = new DatabaseSync(partial, { enableForeignKeyConstraints: false })
  try {
    // Nobody reads it before it is complete and on disk.
    db.exec('pragma journal_mode = off; pragma synchronous = off; begin')
    const isTable = (statement: string) => statement.startsWith('CREATE TABLE')
    for (const statement of mlflowSchema.statements.filter(isTable)) db.exec(statement)
    db.prepare('insert into alembic_version (version_num) values (?)').run(mlflowSchema.revision)
    db.exec(`insert into workspaces (name, description) values ('default', 'Default workspace for legacy resources')`)
    const exported = await fill(exporting, db)
    for (const statement of mlflowSchema.statements) if (!isTable(statement)) db.exec(statement)
    db.exec('commit')
    const [broken] = db.prepare('pragma foreign_key_check').all()
    if (broken !== undefined) throw new Error(`the export is not consistent: ${JSON.stringify(broken)}`)
    db.close()
    await makeDurable(partial)
    await rename(partial, file)
    await makeDurable(dirname(file))
    return exported
  } catch (error) {
    if (db.isOpen) db.close()
    await rm(partial, { force: true })
    throw error
  }
}

async function fill(exporting: Exporting, db: DatabaseSync): Promise<Exported> {
  const { source, say } = exporting
  const exported = nothingExported()
  const put = writerOf(db)
  for await (const experiment of source.experiments()) {
    put(rows.experimentRows(experiment))
    exported.experiments++
    await fillRuns(exporting, experiment, put, exported)
    await fillLoggedModels(exporting, experiment, put, exported)
    const before = exported.traces
    await fillTraces(exporting, experiment, put, exported)
    if (exported.traces > before) await fillLinks(exporting, db, experiment, put)
    if (experiment.lifecycle_stage === 'active') {
      for await (const scorer of source.scorers(experiment.experiment_id)) {
        put(rows.scorerRows(experiment.experiment_id, scorer))
        exported.scorers++
      }
    }
    say(`${experiment.name}: ${told(exported)}`)
  }
  await fillRegistry(exporting, db, put, exported)
  for await (const dataset of source.datasets()) {
    put(rows.datasetRows(dataset))
    exported.datasets++
    for await (const record of source.records(dataset.dataset_id)) {
      put([rows.recordRow(dataset.dataset_id, record)])
      exported.records++
    }
  }
  for await (const webhook of source.webhooks()) {
    put(rows.webhookRows(webhook))
    exported.webhooks++
  }
  return exported
}

type Put = (rows: readonly rows.Row[]) => void

/** What is there already, such as a dataset that several runs read, is there. */
function writerOf(db: DatabaseSync): Put {
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  return (given) => {
    for (const [table, row] of given) {
      const columns = Object.keys(row)
      const key = `${table} ${columns.join(' ')}`
      let statement = statements.get(key)
      if (statement === undefined) {
        const names = columns.map((column) => `"${column}"`).join(', ')
        const marks = columns.map(() => '?').join(', ')
        statement = db.prepare(`insert into ${table} (${names}) values (${marks}) on conflict do nothing`)
        statements.set(key, statement)
      }
      statement.run(...Object.values(row))
    }
  }
}

async function fillRuns(exporting: Exporting, { experiment_id }: MlflowExperiment, put: Put, exported: Exported) {
  const { source, tick } = exporting
  for await (const run of source.runs(experiment_id)) {
    const { run_id, artifact_uri } = run.info
    put(rows.runRows(run))
    for (const { key } of run.data.metrics) {
      for await (const point of source.history(run_id, key)) {
        put([['metrics', rows.metricRow(point, run_id)]])
        exported.points++
      }
    }
    await fillFiles(exporting, { kind: 'run', id: run_id, root: artifact_uri }, exported)
    exported.runs++
    tick(told(exported))
  }
}

async function fillLoggedModels(
  exporting: Exporting,
  { experiment_id }: MlflowExperiment,
  put: Put,
  exported: Exported,
) {
  for await (const model of exporting.source.loggedModels(experiment_id)) {
    put(rows.loggedModelRows(model))
    const root: ArtifactRoot = { kind: 'logged-model', id: model.info.model_id, root: model.info.artifact_uri }
    await fillFiles(exporting, root, exported)
    exported.loggedModels++
  }
}

async function fillFiles({ source, client, artifacts }: Exporting, root: ArtifactRoot, exported: Exported) {
  const copied = await copyArtifacts({ source, client, folder: artifacts, root })
  exported.files += copied.files
  exported.bytes += copied.bytes
  exported.unchangedFiles += copied.unchanged
}

async function fillTraces(exporting: Exporting, { experiment_id }: MlflowExperiment, put: Put, exported: Exported) {
  const { source, artifacts, tick } = exporting
  let group: MlflowTrace[] = []
  const flush = async () => {
    if (group.length === 0) return
    const spans = await source.spans(group)
    for (const trace of group) {
      const its = spans.get(trace.trace) ?? []
      put(traceRows(experiment_id, trace, its))
      exported.traces++
      exported.spans += its.length
      for (const id of attachmentsOf(its)) {
        const place = join(artifacts, experiment_id, 'traces', trace.trace, 'artifacts', 'attachments', id)
        await fillAttachment(exporting, { trace, id, place }, exported)
      }
    }
    group = []
    tick(told(exported))
  }
  for await (const trace of source.traces(experiment_id)) {
    group.push(trace)
    if (group.length === groupOfTraces) await flush()
  }
  await flush()
}

/** Whoever logs a span may write anything into it: a name of a file that is not there keeps nothing else back. */
async function fillAttachment(
  { source, client, say }: Exporting,
  { trace, id, place }: { trace: MlflowTrace; id: string; place: string },
  exported: Exported,
): Promise<void> {
  try {
    const content = await client.call(getTraceAttachment, { trace: trace.trace, attachment: id })
    if (await writeFileOnce(place, content, () => source.attachment(trace, id))) {
      exported.files++
      exported.bytes += content.size
    } else exported.unchangedFiles++
  } catch (error) {
    if (!(error instanceof PaveError) || error.code === 'unreachable') throw error
    const what = `trace ${trace.trace}: attachment ${id}`
    exported.problems.push({ what, code: error.code, message: error.message })
    say(`${what}: ${error.message}`)
  }
}

async function fillLinks({ source }: Exporting, db: DatabaseSync, { experiment_id }: MlflowExperiment, put: Put) {
  for (const { run_uuid } of db.prepare('select run_uuid from runs where experiment_id = ?').all(experiment_id)) {
    const run = String(run_uuid)
    for await (const trace of source.linkedTraces(run, experiment_id)) {
      put([rows.association({ type: 'trace', id: trace }, { type: 'run', id: run }, null)])
    }
  }
}

async function fillRegistry(exporting: Exporting, db: DatabaseSync, put: Put, exported: Exported): Promise<void> {
  const locate = db.prepare('update model_versions set source = ?, storage_location = ? where name = ? and version = ?')
  for await (const model of exporting.source.models()) {
    put(rows.modelRows(model))
    exported.models++
    for await (const version of exporting.source.versions(model.name)) {
      put(rows.versionRows(version))
      const { source, location } = await filesOf(exporting, db, version, exported)
      locate.run(source, location, version.name, version.version)
      exported.versions++
    }
  }
}

/**
 * A version keeps its files when the run or logged model that it came from is gone. It gets them for itself then, and
 * where it never had another place.
 */
async function filesOf(exporting: Exporting, db: DatabaseSync, version: MlflowVersion, exported: Exported) {
  const { source, model_id } = version
  const model = /^models:\/(m-[0-9a-f]{32})$/.exec(source)?.[1] ?? model_id
  if (model) {
    const row = db.prepare('select artifact_location from logged_models where model_id = ?').get(model)
    if (row !== undefined) return { source: `models:/${model}`, location: String(row['artifact_location']) }
  }
  const [, run, path] = /^runs:\/([0-9a-f]{32})\/(.+)$/s.exec(source) ?? []
  if (run !== undefined) {
    const row = db.prepare('select artifact_uri from runs where run_uuid = ?').get(run)
    if (row !== undefined) return { source, location: `${row['artifact_uri']}/${path}` }
  }
  const own = /^(?:models|runs|mlflow-artifacts):\//.test(source)
  if (!own) return { source, location: source }
  const root = `mlflow-artifacts:/versions/${version.name}/${version.version}/artifacts`
  await fillFiles(exporting, { kind: 'version', id: version.name, root }, exported)
  return { source: root, location: root }
}

function told({ runs, points, traces, files }: Exported): string {
  return `${runs} runs, ${points} points, ${traces} traces, ${files} files until now`
}

function nothingExported(): Exported {
  return {
    ...{ experiments: 0, runs: 0, points: 0, loggedModels: 0, traces: 0, spans: 0, models: 0, versions: 0 },
    ...{ datasets: 0, records: 0, scorers: 0, webhooks: 0, files: 0, bytes: 0, unchangedFiles: 0 },
    problems: [],
  }
}
