import { createHash } from 'node:crypto'
import { PaveError } from '#platform/errors.ts'
import { unreadable } from './artifact-folders.ts'
import type {
  ArtifactRoot,
  MlflowExperiment,
  MlflowLoggedModel,
  MlflowPoint,
  MlflowRun,
  MlflowSource,
  MlflowTrace,
} from './mlflow-source.ts'
import { attachmentsOf } from './read-spans.ts'
import {
  experimentAspects,
  loggedModelAspects,
  ownTags,
  pointText,
  runAspects,
  spanAspects,
  traceAspects,
} from './verify-aspects.ts'
import { type Notes, notesOf, nothingVerified, type Verified } from './verify-notes.ts'

/** A copy, where one can be asked for by its id. */
export interface CopySource extends MlflowSource {
  run(id: string): Promise<MlflowRun | undefined>
  tracesOf(ids: readonly string[]): Promise<MlflowTrace[]>
}

interface Comparing {
  there: MlflowSource
  here: CopySource
  /** Whether the bytes of files are read too, and not only their sizes. */
  files: boolean
  only: readonly string[]
  say: (text: string) => void
  tick: (text: string) => void
}

const groupOfTraces = 25

/**
 * Compares all that another MLflow has with its copy here, thing by thing, in constant memory. What is here besides is
 * nobody's concern; what Pave says of things itself (tags that begin with `pave.`) is no difference.
 */
export async function verifyCopy(comparing: Comparing): Promise<Verified> {
  const { there, here, only, say } = comparing
  const verified = nothingVerified()
  const notes = notesOf(verified)
  const experiments = new Map((await Array.fromAsync(here.experiments())).map((one) => [one.name, one]))
  for await (const theirs of there.experiments()) {
    if (only.length > 0 && !only.includes(theirs.name)) continue
    const what = `experiment ${theirs.name}`
    const ours = notes.find('experiments', what, experiments.get(theirs.name))
    if (ours === undefined) continue
    notes.compare(what, experimentAspects(theirs), experimentAspects(ours))
    await compareRuns(comparing, notes, theirs)
    await compareLoggedModels(comparing, notes, theirs, ours)
    await compareTraces(comparing, notes, theirs)
    if (theirs.lifecycle_stage === 'active') await compareScorers(comparing, notes, theirs, ours)
    say(`${theirs.name}: compared, ${verified.differing} differences until now`)
  }
  if (only.length === 0) {
    await compareRegistry(comparing, notes)
    await compareDatasets(comparing, notes)
  }
  verified.absent = [...there.absent.union(here.absent)]
  return verified
}

async function compareRuns(comparing: Comparing, notes: Notes, { experiment_id, name }: MlflowExperiment) {
  const { there, here } = comparing
  let compared = 0
  for await (const theirs of there.runs(experiment_id)) {
    const { run_id } = theirs.info
    const what = `run ${run_id}`
    const ours = notes.find('runs', what, await here.run(run_id))
    if (ours === undefined) continue
    notes.compare(what, runAspects(theirs), runAspects(ours))
    notes.count('params', size(theirs.data.params), size(ours.data.params))
    notes.count('tags', size(ownTags(theirs.data.tags)), size(ownTags(ours.data.tags)))
    for (const { key } of theirs.data.metrics) {
      const points = [await pointsOf(there.history(run_id, key)), await pointsOf(here.history(run_id, key))] as const
      notes.count('points', points[0].count, points[1].count)
      notes.compare(what, { [`metric ${key}`]: points[0] }, { [`metric ${key}`]: points[1] })
    }
    const linked = async (source: MlflowSource, { info }: MlflowRun) =>
      (await Array.fromAsync(source.linkedTraces(run_id, info.experiment_id))).sort()
    notes.compare(what, { traces: await linked(there, theirs) }, { traces: await linked(here, ours) })
    const roots = [rootOf(theirs), rootOf(ours)] as const
    await compareFiles(comparing, notes, what, roots)
    comparing.tick(`${name}: ${++compared} runs compared`)
  }
}

const rootOf = ({ info }: MlflowRun): ArtifactRoot => ({ kind: 'run', id: info.run_id, root: info.artifact_uri })

/** Equal for the same points in any order; they are read one after the other and not kept. */
async function pointsOf(points: AsyncIterable<MlflowPoint>): Promise<{ count: number; digest: string }> {
  let count = 0
  let sum = 0n
  for await (const point of points) {
    count++
    sum = BigInt.asUintN(128, sum + hashOf(pointText(point)))
  }
  return { count, digest: sum.toString(16).padStart(32, '0') }
}

const hashOf = (text: string) => BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 32)}`)

async function compareFiles(
  { there, here, files }: Pick<Comparing, 'there' | 'here' | 'files'>,
  notes: Notes,
  what: string,
  [theirRoot, ourRoot]: readonly [ArtifactRoot, ArtifactRoot],
): Promise<void> {
  await unlessUnreadable(notes, `${what}: files`, async () => {
    const ours = new Map((await Array.fromAsync(here.artifacts(ourRoot))).map(({ path, size: bytes }) => [path, bytes]))
    for await (const { path, size: bytes } of there.artifacts(theirRoot)) {
      const file = `${what}: file ${path}`
      const found = notes.find('files', file, ours.get(path))
      if (found === undefined) continue
      notes.count('bytes', bytes, found)
      if (found !== bytes) notes.differ(file, `${bytes} bytes there, ${found} here`)
      else if (files) {
        await unlessUnreadable(notes, file, async () => {
          const one = await sha256Of(await there.open(theirRoot, path))
          const other = await sha256Of(await here.open(ourRoot, path))
          if (one !== other) notes.differ(file, `sha256 ${one} there, ${other} here`)
        })
      }
    }
  })
}

/** What cannot be read cannot be said to be alike. */
async function unlessUnreadable(notes: Notes, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof PaveError) || error.code === 'unreachable') throw error
    notes.differ(what, `cannot be compared: ${error.message}`)
  }
}

async function sha256Of(bytes: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of bytes) hash.update(chunk)
  } catch (error) {
    throw unreadable('The file', error)
  }
  return hash.digest('hex')
}

async function compareLoggedModels(
  comparing: Comparing,
  notes: Notes,
  theirExperiment: MlflowExperiment,
  ourExperiment: MlflowExperiment,
): Promise<void> {
  const { there, here } = comparing
  const found = await Array.fromAsync(here.loggedModels(ourExperiment.experiment_id))
  const ours = new Map(found.map((one) => [one.info.model_id, one]))
  for await (const theirs of there.loggedModels(theirExperiment.experiment_id)) {
    const id = theirs.info.model_id
    const what = `logged model ${id}`
    const model = notes.find('loggedModels', what, ours.get(id))
    if (model === undefined) continue
    notes.compare(what, loggedModelAspects(theirs), loggedModelAspects(model))
    const root = ({ info }: MlflowLoggedModel) => ({ kind: 'logged-model' as const, id, root: info.artifact_uri })
    await compareFiles(comparing, notes, what, [root(theirs), root(model)])
  }
}

async function compareTraces({ there, here, files }: Comparing, notes: Notes, { experiment_id }: MlflowExperiment) {
  let group: MlflowTrace[] = []
  const flush = async () => {
    if (group.length === 0) return
    const ours = new Map((await here.tracesOf(group.map(({ trace }) => trace))).map((one) => [one.trace, one]))
    const [theirSpans, ourSpans] = [await there.spans(group), await here.spans([...ours.values()])]
    for (const theirs of group) {
      const what = `trace ${theirs.trace}`
      const trace = notes.find('traces', what, ours.get(theirs.trace))
      if (trace === undefined) continue
      notes.compare(what, traceAspects(theirs, theirs), traceAspects(trace, theirs))
      notes.count('assessments', theirs.assessments.length, trace.assessments.length)
      const spans = [theirSpans.get(theirs.trace) ?? [], ourSpans.get(theirs.trace) ?? []].map(spanAspects)
      const [one = {}, other = {}] = spans
      notes.count('spans', size(one), size(other))
      notes.compare(what, { span: one }, { span: other })
      if (!files) continue
      for (const id of attachmentsOf(theirSpans.get(theirs.trace) ?? [])) {
        await unlessUnreadable(notes, `${what}: attachment ${id}`, async () => {
          const one = await sha256Of(await there.attachment(theirs, id))
          const other = await sha256Of(await here.attachment(trace, id))
          if (one !== other) notes.differ(`${what}: attachment ${id}`, `sha256 ${one} there, ${other} here`)
        })
      }
    }
    group = []
  }
  for await (const trace of there.traces(experiment_id)) {
    group.push(trace)
    if (group.length === groupOfTraces) await flush()
  }
  await flush()
}

async function compareScorers(
  { there, here }: Comparing,
  notes: Notes,
  theirs: MlflowExperiment,
  ours: MlflowExperiment,
): Promise<void> {
  const found = await Array.fromAsync(here.scorers(ours.experiment_id))
  const scorers = new Map(found.map((one) => [`${one.scorer_name}@${one.scorer_version}`, one]))
  for await (const { scorer_name, scorer_version, serialized_scorer, creation_time } of there.scorers(
    theirs.experiment_id,
  )) {
    const name = `${scorer_name}@${scorer_version}`
    const scorer = notes.find('scorers', `scorer ${name}`, scorers.get(name))
    if (scorer === undefined) continue
    const aspects = { created: creation_time, content: serialized_scorer }
    notes.compare(`scorer ${name}`, aspects, { created: scorer.creation_time, content: scorer.serialized_scorer })
  }
}

async function compareRegistry({ there, here }: Comparing, notes: Notes): Promise<void> {
  const models = new Map((await Array.fromAsync(here.models())).map((one) => [one.name, one]))
  for await (const theirs of there.models()) {
    const what = `model ${theirs.name}`
    const ours = notes.find('models', what, models.get(theirs.name))
    if (ours === undefined) continue
    const aspects = ({ description, tags, aliases }: typeof theirs) => ({
      description,
      tags: ownTags(tags),
      alias: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
    })
    notes.compare(what, aspects(theirs), aspects(ours))
    notes.count('aliases', theirs.aliases.length, ours.aliases.length)
    const found = await Array.fromAsync(here.versions(theirs.name))
    const versions = new Map(found.map((one) => [one.version, one]))
    for await (const version of there.versions(theirs.name)) {
      const name = `${what} version ${version.version}`
      const copy = notes.find('versions', name, versions.get(version.version))
      if (copy === undefined) continue
      const of = (one: typeof version) => ({
        run: one.run_id ?? '',
        description: one.description,
        stage: one.current_stage,
        created: one.creation_timestamp,
        tags: ownTags(one.tags),
      })
      notes.compare(name, of(version), of(copy))
    }
  }
}

async function compareDatasets({ there, here }: Comparing, notes: Notes): Promise<void> {
  const datasets = new Map((await Array.fromAsync(here.datasets())).map((one) => [one.dataset_id, one]))
  for await (const theirs of there.datasets()) {
    const what = `evaluation dataset ${theirs.name}`
    const ours = notes.find('datasets', what, datasets.get(theirs.dataset_id))
    if (ours === undefined) continue
    const aspects = ({ name, tags, created_time, last_update_time }: typeof theirs) => ({
      name,
      tags: tags ?? {},
      times: [created_time, last_update_time],
    })
    notes.compare(what, aspects(theirs), aspects(ours))
    const found = await Array.fromAsync(here.records(theirs.dataset_id))
    const records = new Map(found.map((one) => [one.dataset_record_id, one]))
    for await (const record of there.records(theirs.dataset_id)) {
      const name = `${what}: record ${record.dataset_record_id}`
      const copy = notes.find('records', name, records.get(record.dataset_record_id))
      if (copy === undefined) continue
      const of = ({ inputs, outputs, expectations, tags, source }: typeof record) => ({
        inputs,
        outputs: outputs ?? null,
        expectations: expectations ?? {},
        tags: tags ?? {},
        source: source ?? null,
      })
      notes.compare(name, of(record), of(copy))
    }
  }
}

const size = (record: object) => Object.keys(record).length
