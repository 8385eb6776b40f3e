import { z } from 'zod'
import { OnnxError, readGraph } from '#algorithms/onnx/read-graph.ts'
import { signatureOf } from '#algorithms/tensors/signature.ts'
import { type FileTree, getVersion, registerVersion, type Version } from '#modules/registry/contract.ts'
import { getArtifact, getLoggedModel, getTrackingRun, listArtifacts } from '#modules/tracking/contract.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { PaveError } from '#platform/errors.ts'
import { storeUpload } from '#platform/kernel/store-upload.ts'
import { pagesOf } from '#platform/names.ts'
import type { Call } from './endpoint.ts'
import { invalid } from './errors.ts'
import { locationOfSource } from './location.ts'
import { modelFile, readModelFile } from './model-file.ts'
import { graphFile } from './version-files.ts'

const largestGraph = 2 * 1024 ** 3
const largestDescription = 16 * 1024 ** 2
const mostFiles = 100_000

/** Beside the model's files, or among the artifacts of its run. */
const descriptionFile = 'pave/version.json'

/**
 * What MLflow has no words for and a version in Pave should say: `pave/version.json`, written for instance by
 * `mlflow.log_dict`. Each field is as in `register-version` and may be left out.
 */
const Description = z.strictObject({
  ...registerVersion.input.pick({
    features: true,
    output: true,
    baseline: true,
    slices: true,
    profile: true,
    predictionProfile: true,
    trainingSet: true,
    datasets: true,
    featureService: true,
    code: true,
  }).shape,
  signature: registerVersion.input.shape.signature.unwrap().optional(),
  metrics: registerVersion.input.shape.metrics.unwrap().optional(),
})

export interface Source {
  model: string
  source: string
  run: string | undefined
  loggedModel: string | undefined
  note: string
  tags: Record<string, string>
}

/**
 * Registers the model that a client logged, with all of its files: whoever registers must be able to read them. When
 * `model.onnx` is among them, that is the graph that Pave can serve; the signature is the graph's own, else what `MLmodel`
 * says, and the metrics are the run's latest, unless `pave/version.json` says otherwise.
 */
export async function registerSource(call: Call, source: Source): Promise<Version> {
  return call.run(registerVersion, await contentOfSource(readerOf(call), source))
}

/** What describing a source takes: operations as the caller, and the objects that these name. */
export interface SourceReader extends Pick<Call, 'run'> {
  read(digest: string, maxBytes: number): Promise<Buffer>
  store(text: string): Promise<string>
}

function readerOf({ platform, actor, run }: Call): SourceReader {
  return {
    run,
    async read(digest, maxBytes) {
      const stored = await platform.services.objects.stat(digest)
      if (stored !== undefined && stored.size > maxBytes) throw invalid(`${digest} is too large`)
      return platform.services.objects.read(digest, { maxBytes })
    },
    store: async (text) => (await storeUpload(platform, actor, text, { maxBytes: text.length * 4 })).digest,
  }
}

export async function contentOfSource(
  call: SourceReader,
  source: Source,
): Promise<z.input<(typeof registerVersion)['input']>> {
  const location = locationOfSource(source.source)
  if (location.kind === 'version') return copyOf(call, source, location.version)
  const { owner, path } = location
  const inside = path.endsWith('.onnx') ? path.slice(0, path.lastIndexOf('/') + 1).replace(/\/$/, '') : path
  const files = await filesBelow(call, owner, inside)
  if (files.length === 0) throw invalid(`${source.source} has no files: log the model first`)
  const madeBy = source.run ?? (await runOf(call, owner))
  const graph = path === inside ? graphFile : path.slice(path.lastIndexOf('/') + 1)
  const loggedModel = source.loggedModel ?? (owner.startsWith('m-') ? owner : null)
  return contentOfFiles(call, source, { files, graph, madeBy, loggedModel })
}

/** Files that are stored, with paths as seen from the model's directory. */
export interface SourceFiles {
  files: FileTree
  /** The file that Pave could serve, if it is there. */
  graph: string
  madeBy: string | null
  loggedModel: string | null
}

export async function contentOfFiles(
  call: SourceReader,
  source: Source,
  { files, graph: name, madeBy, loggedModel }: SourceFiles,
): Promise<z.input<(typeof registerVersion)['input']>> {
  const find = (path: string) => files.find((file) => file.path === path)?.digest
  const artifact = find(name)
  const described = find(modelFile)
  const { flavors, signature: written } =
    described === undefined ? { flavors: [], signature: undefined } : readModelFile(await readText(call, described))
  const description = find(descriptionFile) ?? (madeBy === null ? undefined : await digestAt(call, madeBy))
  const { signature, metrics, ...more } = description === undefined ? {} : await readDescription(call, description)
  const graph = artifact === undefined ? undefined : await readSignature(call, artifact)
  const tree = canonicalJson(files)
  return {
    ...more,
    signature: signature ?? graph ?? written,
    metrics: metrics ?? (madeBy === null ? {} : await finiteMetrics(call, madeBy)),
    model: source.model,
    artifact: artifact ?? null,
    files: await call.store(tree),
    flavors,
    run: madeBy,
    source: source.source,
    loggedModel,
    note: source.note,
    tags: source.tags,
  }
}

/** A version of one model as a version of another, for instance when it is promoted. */
async function copyOf(call: SourceReader, { model, source, note, tags }: Source, ref: string) {
  const {
    version: _,
    author: _author,
    aliases,
    stage,
    registeredAt,
    changedAt,
    digest,
    ref: _ref,
    twin: _twin,
    ...content
  } = await call.run(getVersion, { version: ref })
  return { ...content, model, source, note: note || content.note, tags }
}

/** With paths as seen from the directory. */
async function filesBelow(call: SourceReader, owner: string, directory: string): Promise<FileTree> {
  const files: FileTree = []
  const below = directory === '' ? {} : { path: directory }
  const pages = pagesOf((at) => call.run(listArtifacts, { owner, recursive: true, limit: 1000, ...below, ...at }))
  for await (const items of pages) {
    for (const { path, digest, size } of items) {
      if (digest !== null) files.push({ path: path.slice(directory === '' ? 0 : directory.length + 1), digest, size })
    }
    if (files.length > mostFiles) throw invalid(`A version has ${mostFiles} files at most`)
  }
  return files
}

async function runOf(call: SourceReader, owner: string): Promise<string | null> {
  return owner.startsWith('m-') ? (await call.run(getLoggedModel, { loggedModel: owner })).run : owner
}

async function digestAt(call: SourceReader, owner: string): Promise<string | undefined> {
  try {
    return (await call.run(getArtifact, { owner, path: descriptionFile })).digest
  } catch (error) {
    if (error instanceof PaveError && error.code === 'run_artifact_not_found') return undefined
    throw error
  }
}

async function readText(call: SourceReader, digest: string): Promise<string> {
  return (await call.read(digest, largestDescription)).toString('utf8')
}

async function readDescription(call: SourceReader, digest: string): Promise<z.output<typeof Description>> {
  let content: unknown
  try {
    content = JSON.parse(await readText(call, digest))
  } catch (error) {
    throw error instanceof SyntaxError ? invalid(`${descriptionFile} is not JSON`) : error
  }
  const parsed = Description.safeParse(content)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`)
  throw invalid(`${descriptionFile}: ${problems.join('; ')}`)
}

async function readSignature(call: SourceReader, artifact: string) {
  const bytes = await call.read(artifact, largestGraph)
  try {
    return signatureOf(readGraph(bytes))
  } catch (error) {
    if (error instanceof OnnxError) throw invalid(error.message)
    throw error
  }
}

async function finiteMetrics(call: SourceReader, run: string): Promise<Record<string, number>> {
  const { metrics } = await call.run(getTrackingRun, { run })
  return Object.fromEntries(metrics.flatMap(({ key, value }) => (typeof value === 'number' ? [[key, value]] : [])))
}
