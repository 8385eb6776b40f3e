import { z } from 'zod'
import { OnnxError, readGraph } from '#algorithms/onnx/read-graph.ts'
import { signatureOf } from '#algorithms/tensors/signature.ts'
import { registerVersion, type Version } from '#modules/registry/contract.ts'
import { getArtifact, getLoggedModel, getTrackingRun } from '#modules/tracking/contract.ts'
import { PaveError } from '#platform/errors.ts'
import type { Call } from './endpoint.ts'
import { invalid } from './errors.ts'
import { locationOfSource } from './location.ts'
import { graphFile } from './version-files.ts'

const largestGraph = 2 * 1024 ** 3
const largestDescription = 16 * 1024 ** 2

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
  signature: registerVersion.input.shape.signature.optional(),
  metrics: registerVersion.input.shape.metrics.unwrap().optional(),
})

/**
 * Registers the model that a client logged. Its graph is `model.onnx` in the source; the signature is the graph's own
 * and the metrics are the run's latest, unless `pave/version.json` says otherwise.
 */
export async function registerSource(
  call: Call,
  { model, source, run, note }: { model: string; source: string; run: string | undefined; note: string },
): Promise<Version> {
  const location = locationOfSource(source)
  if (location.kind === 'version') throw invalid(`${source} is a registered version already: give it an alias instead`)
  const { owner, path } = location
  const madeBy = run ?? (await runOf(call, owner))
  const inSource = (file: string) => (path === '' ? file : `${path}/${file}`)

  const artifact = await digestAt(call, owner, path.endsWith('.onnx') ? path : inSource(graphFile))
  if (artifact === undefined) {
    throw invalid(
      `${source} has no ${graphFile}, and a version in Pave is an ONNX graph: log the model with mlflow.onnx.log_model(..., save_as_external_data=False); skl2onnx and onnxmltools convert scikit-learn, XGBoost and LightGBM models`,
    )
  }
  const description =
    (await digestAt(call, owner, inSource(descriptionFile))) ??
    (madeBy === null ? undefined : await digestAt(call, madeBy, descriptionFile))
  const { signature, metrics, ...described } = description === undefined ? {} : await readDescription(call, description)
  return call.run(registerVersion, {
    ...described,
    signature: signature ?? (await readSignature(call, artifact)),
    metrics: metrics ?? (madeBy === null ? {} : await finiteMetrics(call, madeBy)),
    model,
    artifact,
    run: madeBy,
    note,
  })
}

async function runOf(call: Call, owner: string): Promise<string | null> {
  return owner.startsWith('m-') ? (await call.run(getLoggedModel, { loggedModel: owner })).run : owner
}

async function digestAt(call: Call, owner: string, path: string): Promise<string | undefined> {
  try {
    return (await call.run(getArtifact, { owner, path })).digest
  } catch (error) {
    if (error instanceof PaveError && error.code === 'run_artifact_not_found') return undefined
    throw error
  }
}

async function readDescription(call: Call, digest: string): Promise<z.output<typeof Description>> {
  const bytes = await call.platform.services.objects.read(digest, { maxBytes: largestDescription })
  let content: unknown
  try {
    content = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw invalid(`${descriptionFile} is not JSON`)
  }
  const parsed = Description.safeParse(content)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`)
  throw invalid(`${descriptionFile}: ${problems.join('; ')}`)
}

async function readSignature(call: Call, artifact: string) {
  const bytes = await call.platform.services.objects.read(artifact, { maxBytes: largestGraph })
  try {
    return signatureOf(readGraph(bytes))
  } catch (error) {
    if (error instanceof OnnxError) throw invalid(error.message)
    throw error
  }
}

async function finiteMetrics(call: Call, run: string): Promise<Record<string, number>> {
  const { metrics } = await call.run(getTrackingRun, { run })
  return Object.fromEntries(metrics.flatMap(({ key, value }) => (typeof value === 'number' ? [[key, value]] : [])))
}
