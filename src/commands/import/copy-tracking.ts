import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { linkTraces } from '#modules/traces/contract.ts'
import {
  type ArtifactOwner,
  logRunData,
  type MetricPoint,
  recordArtifact,
  recordRunLineage,
  searchTrackingRuns,
  updateExperiment,
  updateTrackingRun,
} from '#modules/tracking/contract.ts'
import { importExperiment, importLoggedModel, importTrackingRun } from '#modules/tracking/import-contract.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { pagesOf } from '#platform/names.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { type Copied, type CopyOptions, instant, storeObject, toldUntilNow, tryCopying, uuidOf } from './copied.ts'
import { copyTraces } from './copy-traces.ts'
import type {
  ArtifactRoot,
  MlflowExperiment,
  MlflowLoggedModel,
  MlflowPoint,
  MlflowRun,
  MlflowSource,
} from './mlflow-source.ts'

/** A run with this tag was copied whole when it looked like this, or whole but for what its models are. */
const copiedTag = 'pave.import.digest'
const withoutLinks = 'data:'
const fullBatch = 10_000
const mostLinks = 100
const statuses = {
  SCHEDULED: 'scheduled',
  RUNNING: 'running',
  FINISHED: 'finished',
  FAILED: 'failed',
  KILLED: 'killed',
} as const
const modelStatuses = {
  LOGGED_MODEL_PENDING: 'pending',
  LOGGED_MODEL_READY: 'ready',
  LOGGED_MODEL_UPLOAD_FAILED: 'failed',
} as const

/**
 * Copies experiments, runs and logged models with their ids, times, histories and files. What cannot be copied is told
 * and the rest goes on; copying again copies what is new or has changed. Answers the number that each experiment has here.
 */
export async function copyTracking(
  options: CopyOptions,
  only: readonly string[],
  copied: Copied,
): Promise<Map<string, string>> {
  const { source, client, say } = options
  const attempt = (what: string, work: () => Promise<void>) => tryCopying(what, { copied, say }, work)
  const unfinished: Unfinished[] = []
  const numbers = new Map<string, string>()
  for await (const theirs of source.experiments()) {
    if (only.length > 0 && !only.includes(theirs.name)) continue
    await attempt(`experiment ${theirs.name}`, async () => {
      const experiment = await copyExperiment(client, theirs)
      copied.experiments++
      numbers.set(theirs.experiment_id, experiment)
      const known = await runsHere(client, experiment)
      for await (const run of source.runs(theirs.experiment_id)) {
        await attempt(`run ${run.info.run_id}`, async () => {
          const [id, digest] = [uuidOf(run.info.run_id), digestOf(run)]
          const deleted = run.info.lifecycle_stage === 'deleted'
          const ours = known.get(id)
          if (ours?.copied === digest && ours.deleted === deleted) copied.unchanged++
          else {
            if (ours?.copied !== `${withoutLinks}${digest}`)
              await copyRun({ source, client, run, id, experiment, copied })
            options.tick(toldUntilNow(copied))
            unfinished.push({ theirs: run.info, run: id, models: modelsOf(run), digest, deleted })
          }
        })
      }
      for await (const model of source.loggedModels(theirs.experiment_id)) {
        await attempt(`logged model ${model.info.model_id}`, () =>
          copyLoggedModel({ source, client, model, experiment, copied }),
        )
      }
      const gone = theirs.lifecycle_stage === 'deleted'
      await copyTraces({ ...options, from: theirs.experiment_id, deleted: gone, experiment, copied })
      if (gone) await client.call(updateExperiment, { experiment, state: 'deleted' })
      say(`${theirs.name}: ${toldUntilNow(copied)}`)
    })
  }
  // A run may use a model of another experiment, and what is deleted takes nothing any more: both come last.
  for (const { theirs, run, models, digest, deleted } of unfinished) {
    await attempt(`run ${run}`, async () => {
      if (copied.traces + copied.unchangedTraces > 0) await linkAll(options, theirs, run)
      if (models.length > 0) await client.call(recordRunLineage, { run, models })
      await client.call(logRunData, { run, tags: { [copiedTag]: digest } })
      if (deleted) await client.call(updateTrackingRun, { run, state: 'deleted' })
    })
  }
  return numbers
}

async function linkAll({ source, client }: CopyOptions, theirs: MlflowRun['info'], run: string): Promise<void> {
  const linked = await Array.fromAsync(source.linkedTraces(theirs.run_id, theirs.experiment_id))
  for (let at = 0; at < linked.length; at += mostLinks) {
    await client.call(linkTraces, { run, traces: linked.slice(at, at + mostLinks) })
  }
}

async function copyExperiment(client: Client, theirs: MlflowExperiment): Promise<string> {
  const { experiment, state } = await client.call(importExperiment, {
    ...(/^(0|[1-9]\d{0,8})$/.test(theirs.experiment_id) && { experiment: theirs.experiment_id }),
    name: theirs.name,
    tags: theirs.tags,
    createdAt: instant(theirs.creation_time),
    updatedAt: instant(theirs.last_update_time),
  })
  if (state === 'deleted') await client.call(updateExperiment, { experiment, state: 'active' })
  return experiment
}

interface Known {
  copied: string | undefined
  deleted: boolean
}

/** Every run of the experiment that is here, and what it looked like when it was copied. */
async function runsHere(client: Client, experiment: string): Promise<Map<string, Known>> {
  const known = new Map<string, Known>()
  const asked = { experiments: [experiment], state: 'all' as const, fields: [`tags.${copiedTag}`], limit: 1000 }
  for await (const items of pagesOf((at) => client.call(searchTrackingRuns, { ...asked, ...at }))) {
    for (const { run, tags, state } of items) known.set(run, { copied: tags[copiedTag], deleted: state === 'deleted' })
  }
  return known
}

interface Copying {
  source: MlflowSource
  client: Client
  experiment: string
  copied: Copied
}

async function copyRun({
  source,
  client,
  run: theirs,
  id,
  experiment,
  copied,
}: Copying & { run: MlflowRun; id: string }) {
  const { info, data, inputs } = theirs
  await client.call(importTrackingRun, {
    run: id,
    experiment,
    name: info.run_name || data.tags['mlflow.runName'] || `run-${info.run_id.slice(-8)}`,
    status: statuses[info.status],
    startedAt: instant(info.start_time),
    endedAt: info.end_time ? instant(info.end_time) : null,
  })
  const user = info.user_id === '' ? {} : { 'mlflow.user': info.user_id }
  await client.call(logRunData, { run: id, params: data.params, tags: { ...user, ...data.tags } })
  if (inputs.dataset_inputs.length > 0) {
    const datasets = inputs.dataset_inputs.map(({ tags, dataset: { source_type, schema, profile, ...dataset } }) => ({
      ...dataset,
      sourceType: source_type,
      schema: schema ?? null,
      profile: profile ?? null,
      tags,
    }))
    await client.call(recordRunLineage, { run: id, datasets })
  }
  let batch: Point[] = []
  const flush = async () => {
    if (batch.length === 0) return
    await client.call(logRunData, { run: id, metrics: batch })
    copied.points += batch.length
    batch = []
  }
  for (const { key } of data.metrics) {
    for await (const point of source.history(info.run_id, key)) {
      batch.push(pointOf(point))
      if (batch.length === fullBatch) await flush()
    }
  }
  await flush()
  await copyFiles({
    source,
    client,
    copied,
    owner: id,
    root: { kind: 'run', id: info.run_id, root: info.artifact_uri },
  })
  await client.call(logRunData, { run: id, tags: { [copiedTag]: `${withoutLinks}${digestOf(theirs)}` } })
  copied.runs++
}

async function copyLoggedModel({ source, client, model, experiment, copied }: Copying & { model: MlflowLoggedModel }) {
  const { info, data } = model
  await client.call(importLoggedModel, {
    loggedModel: info.model_id,
    experiment,
    run: info.source_run_id ? uuidOf(info.source_run_id) : null,
    name: info.name,
    type: info.model_type,
    status: modelStatuses[info.status],
    params: data.params,
    tags: info.tags,
    createdAt: instant(info.creation_timestamp_ms),
    updatedAt: instant(info.last_updated_timestamp_ms),
  })
  for (const [run, points] of Map.groupBy(data.metrics, ({ run_id }) => run_id)) {
    const metrics = points.map((point) => ({
      ...pointOf({ ...point, model_id: info.model_id }),
      dataset: point.dataset_name ? { name: point.dataset_name, digest: point.dataset_digest ?? '' } : null,
    }))
    await client.call(logRunData, { run: uuidOf(run), metrics })
  }
  const root: ArtifactRoot = { kind: 'logged-model', id: info.model_id, root: info.artifact_uri }
  await copyFiles({ source, client, copied, owner: info.model_id, root })
  copied.loggedModels++
}

interface FileCopying extends Pick<Copying, 'source' | 'client' | 'copied'> {
  owner: z.infer<typeof ArtifactOwner>
  root: ArtifactRoot
}

async function copyFiles({ source, client, copied, owner, root }: FileCopying): Promise<void> {
  for await (const { path } of source.artifacts(root)) {
    const { digest, size } = await storeObject(client, await source.open(root, path))
    await client.call(recordArtifact, { owner, path, digest, size })
    copied.files++
    copied.bytes += size
  }
}

interface Unfinished {
  theirs: MlflowRun['info']
  run: string
  models: Array<{ loggedModel: string; direction: 'input' | 'output'; step: number }>
  digest: string
  deleted: boolean
}

function modelsOf({ inputs, outputs }: MlflowRun): Unfinished['models'] {
  return [
    ...inputs.model_inputs.map(({ model_id }) => ({ loggedModel: model_id, direction: 'input' as const, step: 0 })),
    ...outputs.model_outputs.map(({ model_id, step }) => ({
      loggedModel: model_id,
      direction: 'output' as const,
      step,
    })),
  ]
}

type Point = Pick<MetricPoint, 'key' | 'value' | 'step' | 'timestamp' | 'loggedModel'>

function pointOf({ key, value, step, timestamp, model_id }: MlflowPoint): Point {
  return { key, value, step, timestamp, loggedModel: model_id ?? null }
}

/** Changes with everything that a run tells of itself; its histories and files end with it. */
function digestOf({ info, data, inputs, outputs }: MlflowRun): string {
  const told = { ...info, artifact_uri: '', ...data, inputs, outputs }
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(told))))
    .digest('hex')
}
