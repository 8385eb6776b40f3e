import { createReadStream } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { listWorkspaces } from '#modules/identity/queries.ts'
import { canonicalJson } from '#platform/canonical-json.ts'
import { packBundle, pickFromBundle } from '#platform/compute/bundle.ts'
import type { Attempt, StepResult, StepSpec } from '#platform/compute/compute.ts'
import { PaveError } from '#platform/errors.ts'
import { digestOf } from '#platform/ids.ts'
import type { JobContext } from '#platform/job.ts'
import { type OnnxTwin, TwinProblem, TwinReport, type Version } from './contract.ts'
import { judgeTwin, largestGraph } from './judge-twin.ts'
import { converterRequirements, modelRequirements, pythonVersion } from './model-requirements.ts'
import { layOutFiles, readFileTree } from './read-files.ts'
import { registryFailure } from './tables.ts'

/** How a conversion ended, as `finish-conversion` takes it. */
export interface ConversionEnd {
  artifact: string | null
  report: TwinReport | null
  problem: TwinProblem | null
  log: string | null
}

const programs = join(import.meta.dirname, 'onnx-twin')
const makesEnvironment = 'make-environment.sh'
const modelFile = 'MLmodel'
const largestModel = 10 * 1024 ** 3
const largestReport = 1024 ** 2
const largestRequirements = 1024 ** 2
const largestLog = 4 * 1024 ** 2
const samples = 256
const seed = 1
/** Attempts whose end was not seen before that counts as an end: something kills the machine. */
const mostLost = 3

/** PyTorch with its libraries is the largest that people need. */
const makingLimits = { resources: { memoryMb: 4096, diskMb: 24_576, processes: 256 }, timeoutMs: 45 * 60_000 }
const convertingLimits = { resources: { memoryMb: 8192, diskMb: 8192, processes: 256 }, timeoutMs: 60 * 60_000 }

const Answer = z.union([TwinReport, z.object({ problem: TwinProblem.omit({ lines: true }) })])

/**
 * Makes the model's own environment, unless it is on this machine, and has the programs beside this file convert the model
 * in it. Both outlive this process, and are taken up when it is asked again. What the signal says ends them; when Pave only
 * stops, they go on.
 */
export async function runConversion(ctx: JobContext, version: Version, twin: OnnxTwin): Promise<ConversionEnd> {
  await requireApart(ctx)
  const scratch = join(ctx.services.config.dataDir, 'scratch', ctx.jobId)
  const { compute } = ctx.services
  try {
    await ctx.progress(0.05, 'reading the files of the model')
    const model = join(scratch, 'model')
    await layOutModel(ctx, version, model)
    const { bytes: code } = await packBundle(programs)
    const environment = await describeEnvironment(model, twin.flavor, code, join(scratch, 'requirements'))
    if (!(await compute.hasEnvironment(ctx.workspace, environment.key))) {
      await ctx.progress(0.1, `making the environment of ${version.ref}`)
      const id = attemptsOf(ctx.jobId).environment
      const made = await attempt(ctx, {
        ...makingLimits,
        attemptId: id,
        workspace: ctx.workspace,
        command: ['sh', makesEnvironment],
        code: { bundle: pickFromBundle(code, [makesEnvironment]).bytes },
        environment: { key: environment.key, access: 'make' },
        inputs: { requirements: join(scratch, 'requirements') },
        outputs: [],
        params: { python: environment.python },
        env: {},
      })
      if (made.status !== 'succeeded') return await problemOf(ctx, id, made, 'environment_failed')
      await compute.keepEnvironment(id)
    }
    await ctx.progress(0.6, `converting ${version.ref} and comparing`)
    const request = join(scratch, 'request.json')
    await writeFile(request, JSON.stringify(requestFor(version, twin)))
    const id = attemptsOf(ctx.jobId).conversion
    const done = await attempt(ctx, {
      ...convertingLimits,
      attemptId: id,
      workspace: ctx.workspace,
      command: ['python', 'convert.py'],
      code: { bundle: code },
      environment: { key: environment.key, access: 'use' },
      inputs: { model, request },
      outputs: ['graph', 'report'],
      params: {},
      env: {
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION: 'true',
        MLFLOW_DISABLE_TELEMETRY: 'true',
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONUNBUFFERED: '1',
        // Its uid has no name on the machine, which some programs ask for.
        USER: 'pave',
      },
    })
    if (done.status !== 'succeeded') return await problemOf(ctx, id, done, 'conversion_failed')
    return await readEnd(ctx, id, twin, done.outputs)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Ids of what a job runs. */
export function attemptsOf(job: string) {
  return { environment: `${job}-environment`, conversion: `${job}-conversion` }
}

/** Whether the work must be ended when this aborts it; when Pave stops or loses its database, it goes on and is adopted. */
export function endsWork(reason: unknown): reason is PaveError {
  return (
    reason instanceof PaveError && !['shutting_down', 'database_unavailable', 'compute_closed'].includes(reason.code)
  )
}

/** A model is somebody's code, and must not see another workspace's. */
async function requireApart(ctx: JobContext): Promise<void> {
  const { isolation } = ctx.services.compute
  if (isolation.kind !== 'none' || (await listWorkspaces(ctx.platform)).length === 1) return
  throw registryFailure('conversion_not_apart', `Models of two workspaces would not be apart. ${isolation.detail}`)
}

async function layOutModel(ctx: JobContext, { ref, files: digest }: Version, directory: string): Promise<void> {
  const { objects } = ctx.services
  const files = digest === null ? [] : await readFileTree(objects, digest)
  if (!files.some(({ path }) => path === modelFile)) {
    throw registryFailure(
      'conversion_unsupported',
      `The files of ${ref} hold no ${modelFile}, which MLflow writes for a model`,
    )
  }
  const size = files.reduce((sum, file) => sum + file.size, 0)
  if (size > largestModel) {
    throw registryFailure(
      'conversion_unsupported',
      `${ref} has ${size} bytes of files, and ${largestModel} can be converted`,
    )
  }
  await rm(directory, { recursive: true, force: true })
  await layOutFiles(objects, files, directory)
}

/** Everything that decides what is installed is in its key, so that equal models share one. */
async function describeEnvironment(model: string, flavor: OnnxTwin['flavor'], code: Uint8Array, directory: string) {
  const written = (name: string) => readStart(join(model, name), largestRequirements).catch(() => '')
  const files = {
    'requirements.txt': modelRequirements(await written('requirements.txt')),
    'constraints.txt': await written('constraints.txt'),
    'converters.txt': converterRequirements(flavor),
  }
  const python = pythonVersion(await written('python_env.yaml'))
  await mkdir(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  const { digest } = pickFromBundle(code, [makesEnvironment])
  return { python, key: digestOf(canonicalJson({ conversion: digest, python, files })) }
}

function requestFor({ features, profile }: Version, { flavor, tolerance }: OnnxTwin) {
  return { flavor, tolerance, samples, seed, features, profile }
}

/** Brings one attempt to its end, from wherever it is. */
async function attempt(ctx: JobContext, spec: StepSpec): Promise<StepResult> {
  const { compute } = ctx.services
  for (let times = 1; ; times++) {
    ctx.signal.throwIfAborted()
    const result = await untilEnded(ctx, await compute.start(spec))
    if (result.status !== 'lost' || times === mostLost) return result
    await compute.discard(spec.attemptId)
  }
}

function untilEnded({ services, signal }: JobContext, { attemptId, result }: Attempt): Promise<StepResult> {
  const letGo = Promise.withResolvers<never>()
  const onAbort = () => {
    if (!endsWork(signal.reason)) return letGo.reject(signal.reason)
    services.compute.stop(attemptId).catch(letGo.reject)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return Promise.race([result, letGo.promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

async function problemOf(ctx: JobContext, id: string, { reason }: StepResult, code: string): Promise<ConversionEnd> {
  ctx.signal.throwIfAborted()
  const { log, lines } = await keepLog(ctx, id)
  const message = code === 'environment_failed' ? `The environment could not be made. ${reason}` : reason
  return { artifact: null, report: null, problem: { code, message, lines }, log }
}

async function readEnd(
  ctx: JobContext,
  id: string,
  twin: OnnxTwin,
  outputs: Record<string, string>,
): Promise<ConversionEnd> {
  const { log, lines } = await keepLog(ctx, id)
  const answer = await readAnswer(outputs['report'] ?? '')
  if ('problem' in answer) return { artifact: null, report: null, problem: { ...answer.problem, lines }, log }
  const verdict = judgeTwin(answer, twin.tolerance)
  if (verdict !== undefined) return { artifact: null, report: answer, problem: { ...verdict, lines: [] }, log }
  const graph = outputs['graph'] ?? ''
  const { size } = await stat(graph)
  if (size > largestGraph) {
    throw registryFailure('conversion_unsupported', `Its graph has ${size} bytes, and ${largestGraph} can serve`)
  }
  const { digest } = await ctx.services.objects.put(createReadStream(graph), { maxBytes: largestGraph })
  return { artifact: digest, report: answer, problem: null, log }
}

/** The model's own code could have written it. */
async function readAnswer(path: string): Promise<z.infer<typeof Answer>> {
  const report = await readStart(path, largestReport)
  try {
    return Answer.parse(JSON.parse(report))
  } catch (cause) {
    throw registryFailure('conversion_failed', 'The conversion wrote no report that can be read', { cause })
  }
}

/** No more than that is ever in memory: a stranger's program may have written any amount. */
function readStart(path: string, bytes: number): Promise<string> {
  return text(createReadStream(path, { end: bytes - 1 }))
}

/** All of it as an object, and at most 20 lines and 2,000 characters to show. */
async function keepLog(ctx: JobContext, id: string): Promise<{ log: string | null; lines: string[] }> {
  const { bytes } = await ctx.services.compute.readLog(id, { limit: largestLog })
  if (bytes.length === 0) return { log: null, lines: [] }
  const { digest } = await ctx.services.objects.put(bytes)
  return { log: digest, lines: bytes.subarray(-8000).toString().trimEnd().slice(-2000).split('\n').slice(-20) }
}
