import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { ContentRef, Digest, Duration, Identifier, Instant, listInput, Name, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** Of an input or output: it becomes part of an environment variable of the step. */
const ArtifactName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'a name has letters, digits, _ and -, a letter first')
  .refine((name) => name !== 'result', 'result is the name of what a job or an operation answers')

const StepName = Name.max(50)

/** `steps.train.model`: an output of another step. `dataset:flights`, `feature-service:flight-delays`: as declared now. */
const InputRef = z
  .string()
  .regex(
    /^(steps\.[a-z0-9-]+\.[A-Za-z][A-Za-z0-9_-]*|(dataset|feature-service):[a-z0-9-]+)$/,
    'write steps.<step>.<output>, dataset:<name> or feature-service:<name>',
  )

const ParamValue = z.union([z.string().max(10_000), z.number(), z.boolean()])
export type ParamValue = z.infer<typeof ParamValue>

const Param = z.strictObject({
  /** A timestamp may be given as a date; steps see it as an instant in UTC. */
  type: z.enum(['string', 'int', 'double', 'bool', 'timestamp']),
  default: ParamValue.optional(),
  /** The only ones that are taken; of type string. */
  values: z.array(z.string().max(1000)).min(1).max(100).optional(),
  description: z.string().max(1000).optional(),
})

const Resources = z.strictObject({
  /** Of all its processes together. */
  memoryMb: z.int().min(16).max(1_048_576).default(1024),
  diskMb: z.int().min(1).max(1_048_576).default(1024),
  processes: z.int().min(1).max(10_000).default(256),
  cpuSeconds: z.int().min(1).optional(),
})

const Step = z.strictObject({
  name: StepName,
  description: z.string().max(1000).optional(),
  /** A command: one line for `sh -c`, or an argument vector. Its working directory is a copy of the pipeline's code. */
  run: z.union([z.string().min(1).max(10_000), z.array(z.string().max(10_000)).min(1).max(200)]).optional(),
  /** Or an operation that starts a job, such as ingest-dataset: the step lasts as long as the job. */
  job: Name.optional(),
  /** Or any other operation, such as register-version. */
  operation: Name.optional(),
  /**
   * Input of the job or operation. `${params.x}`, `${run.id}`, `${pipeline.code}`, `${steps.ingest.result.version}` are
   * filled in, keeping their type when they are the whole text; `{$digest: steps.train.model}` is the digest of an output,
   * `{$json: steps.train.report, path: signature}` a part of what it holds.
   */
  with: z.record(z.string().max(100), z.json()).default({}),
  inputs: z.record(ArtifactName, InputRef).default({}),
  /** Of a command: their names. Of a job: name to the field of its result that is the digest of an object. */
  outputs: z.union([z.array(ArtifactName).max(100), z.record(ArtifactName, z.string().min(1).max(200))]).default([]),
  /**
   * What a command makes for other commands besides files, such as a Python virtual environment: it fills the directory in
   * `PAVE_ENVIRONMENT`, which is kept on the machine and made once for each command, params and content of `files`.
   */
  makes: z.literal('environment').optional(),
  /** Of a command that makes an environment: the files of the pipeline's code that it finds, and no others. */
  files: z.array(z.string().min(1).max(255)).max(100).optional(),
  /** The step that made the environment of a command: read-only in `PAVE_ENVIRONMENT`, its `bin` first in the PATH. */
  environment: StepName.optional(),
  /** Params of the pipeline that the command sees; another value makes another result. */
  params: z.array(Identifier).max(100).default([]),
  /** Steps to wait for besides those that it takes something from. */
  after: z.array(StepName).max(500).default([]),
  /** Whether the outputs of an earlier run with the same code, params and inputs will do. */
  cache: z.boolean().default(true),
  /** Attempts after the first. */
  retries: z.int().min(0).max(10).default(0),
  /** Before the first retry; doubled for each further one, up to a minute. */
  backoff: Duration.default('1s'),
  /** Of one attempt of a command; up to 11 hours. */
  timeout: Duration.default('1h'),
  resources: Resources.prefault({}),
})
export type Step = z.infer<typeof Step>

export const PipelineSpec = z.strictObject({
  description: z.string().max(4000).default(''),
  /** The directory that commands run in. */
  code: ContentRef.optional(),
  params: z.record(Identifier, Param).default({}),
  steps: z.array(Step).min(1).max(500),
  /** Commands that one run may have running at once. */
  parallelism: z.int().min(1).max(64).default(2),
})
export type PipelineSpec = z.infer<typeof PipelineSpec>

const Pipeline = z.object({ pipeline: Name, spec: PipelineSpec, digest: Digest, updatedAt: Instant })

/** A step in the graph of its pipeline. */
const PlannedStep = z.object({
  step: StepName,
  kind: z.enum(['command', 'job', 'operation']),
  /** The command line, or the name of the operation. */
  does: z.string(),
  /** Steps that must be done before it begins. */
  needs: z.array(StepName),
})
export type PlannedStep = z.infer<typeof PlannedStep>

export const putPipeline = operation({
  name: 'put-pipeline',
  method: 'PUT',
  path: '/api/v1/pipelines/:pipeline',
  summary: 'Declare a pipeline: steps that are commands, jobs or operations, and what each takes from others',
  effect: 'write',
  permission: { verb: 'pipeline:put', on: ['pipeline'] },
  manifest: { kind: 'Pipeline', read: 'get-pipeline', after: ['Dataset', 'FeatureService', 'Model'] },
  lineage: { inputs: ['object'] },
  errors: ['pipeline_invalid', 'pipeline_cycle', 'code_not_found'],
  input: z.object({ pipeline: Name, spec: PipelineSpec }),
  output: Pipeline,
})

export const getPipeline = operation({
  name: 'get-pipeline',
  method: 'GET',
  path: '/api/v1/pipelines/:pipeline',
  summary: 'Read a pipeline',
  effect: 'read',
  permission: { verb: 'pipeline:read', on: ['pipeline'] },
  errors: ['pipeline_not_found'],
  input: z.object({ pipeline: Name }),
  output: Pipeline.extend({ plan: z.array(PlannedStep) }),
})

export const RunState = z.enum(['queued', 'running', 'done', 'failed', 'cancelled'])
export type RunState = z.infer<typeof RunState>

/** `retrying` waits for its next attempt; `skipped` never began, because another step failed. */
export const StepState = z.enum(['pending', 'running', 'retrying', 'done', 'failed', 'cancelled', 'skipped'])
export type StepState = z.infer<typeof StepState>

const Usage = z.object({ cpuMs: z.number(), maxRssMb: z.number() })

export const StepRun = z.object({
  step: StepName,
  state: StepState,
  /** 0 before the first one. */
  attempt: z.int(),
  /** Whether an earlier run's outputs were taken, and why or why not; null before it began. */
  cache: z.object({ hit: z.boolean(), reason: z.string() }).nullable(),
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
  exitCode: z.int().nullable(),
  /** How the last attempt ended, for people. */
  reason: z.string(),
  /** Name to the digest of the object. */
  outputs: z.record(z.string(), Digest),
  /** What a job or an operation answered. */
  result: z.unknown(),
  /** Of the last attempt; null while it runs and when nothing was printed. */
  logDigest: Digest.nullable(),
  usage: Usage.nullable(),
})
export type StepRun = z.infer<typeof StepRun>

const RunError = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  step: StepName.nullable(),
  exitCode: z.int().nullable(),
  /** The last lines that the step printed. */
  log: z.array(z.string()),
})
export type RunError = z.infer<typeof RunError>

const RunSummary = z.object({
  run: z.uuid(),
  pipeline: Name,
  params: z.record(z.string(), ParamValue),
  /** Why it was started. */
  reason: z.string(),
  state: RunState,
  /** The job that carries it out. */
  job: z.uuid(),
  /** Whoever it acts for: who started it, or who declared the pipeline when Pave started it. */
  actsFor: z.uuid(),
  pipelineDigest: Digest,
  error: RunError.nullable(),
  createdAt: Instant,
  startedAt: Instant.nullable(),
  endedAt: Instant.nullable(),
})

const NamedArtifact = z.object({ name: z.string(), digest: Digest, directory: z.boolean() })

/** A step of a run as people follow it. */
const FollowedStep = StepRun.extend({
  ...PlannedStep.shape,
  /** What it takes, and from where; without a digest until that is there, and when it is none of ours. */
  inputs: z.array(NamedArtifact.extend({ from: z.string(), digest: Digest.nullable() })),
  artifacts: z.array(NamedArtifact).describe('Its outputs; a directory is a bundle'),
  resources: z.object({ memoryMb: z.int(), diskMb: z.int(), processes: z.int(), cpuSeconds: z.int().optional() }),
  retries: z.int(),
  timeout: Duration,
})
export type FollowedStep = z.infer<typeof FollowedStep>

export const Run = RunSummary.extend({ steps: z.array(FollowedStep) })
export type Run = z.infer<typeof Run>

export const listPipelines = operation({
  name: 'list-pipelines',
  method: 'GET',
  path: '/api/v1/pipelines',
  summary: 'List pipelines with the last run of each',
  effect: 'read',
  permission: { verb: 'pipeline:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    search: z.string().max(200).optional().describe('Part of the name or the description'),
  }),
  output: pageOf(Pipeline.extend({ lastRun: RunSummary.nullable() })),
})

export const startRun = operation({
  name: 'start-run',
  method: 'POST',
  path: '/api/v1/pipelines/:pipeline/runs',
  summary: 'Run a pipeline',
  effect: 'write',
  permission: { verb: 'run:start', on: ['pipeline'] },
  lineage: { inputs: ['pipeline', 'object'], outputs: ['run'] },
  errors: ['pipeline_not_found', 'params_invalid'],
  input: z.object({
    pipeline: Name,
    params: z.record(z.string().max(63), ParamValue).default({}),
    reason: z.string().max(1000).default(''),
  }),
  output: z.object({ run: z.uuid(), job: z.uuid(), pipeline: Name }),
  job: true,
})

export const getRun = operation({
  name: 'get-run',
  method: 'GET',
  path: '/api/v1/runs/:run',
  summary: 'Follow a run: its steps, why each was or was not cached, what it made',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['run_not_found'],
  input: z.object({ run: z.uuid() }),
  output: Run,
})

export const listRuns = operation({
  name: 'list-runs',
  method: 'GET',
  path: '/api/v1/runs',
  summary: 'List runs, newest first',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: [],
  input: z.object({ ...listInput, pipeline: Name.optional(), state: RunState.optional() }),
  output: pageOf(RunSummary),
})

export const cancelRun = operation({
  name: 'cancel-run',
  method: 'POST',
  path: '/api/v1/runs/:run/cancel',
  summary: 'Stop a run and the steps that it has running',
  effect: 'write',
  permission: { verb: 'run:cancel', on: [] },
  errors: ['run_not_found', 'run_ended'],
  input: z.object({ run: z.uuid(), reason: z.string().max(1000).default('') }),
  output: z.object({ run: z.uuid(), state: RunState }),
})

export const readStepLog = operation({
  name: 'read-step-log',
  method: 'GET',
  path: '/api/v1/runs/:run/steps/:step/log',
  summary: 'Read what a step printed, also while it runs: ask again from `next`',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['run_not_found', 'step_not_found'],
  input: z.object({
    run: z.uuid(),
    step: StepName,
    /** Bytes. */
    offset: z.int().min(0).default(0),
    limit: z
      .int()
      .min(16)
      .max(1024 * 1024)
      .default(64 * 1024),
    /** The last `limit` bytes, whatever `offset` says. */
    tail: z.boolean().default(false),
  }),
  output: z.object({
    text: z.string(),
    /** Where the text begins. */
    offset: z.int(),
    next: z.int(),
    /** Bytes so far. */
    size: z.int(),
    /** The step has ended and the text reaches its end. */
    complete: z.boolean(),
  }),
})

/** An output as it is kept: a directory is kept as a bundle. */
const Artifact = z.object({ digest: Digest, directory: z.boolean() })
export type Artifact = z.infer<typeof Artifact>

const Subject = z.object({ kind: z.string().max(100), id: z.string().max(400) })

const stepPath = { run: z.uuid(), step: StepName, attempt: z.int().min(1) }

export const startStep = operation({
  name: 'start-step',
  method: 'POST',
  path: '/api/v1/runs/:run/steps/:step/start',
  summary: 'Enter that a step begins, or that the outputs of an earlier run will do; runs do this by themselves',
  effect: 'write',
  permission: { verb: 'step:record', on: [] },
  lineage: { inputs: ['object', 'dataset-version'], outputs: ['object', 'run'] },
  errors: ['step_not_found', 'step_moved_on'],
  input: z.object({
    ...stepPath,
    /** Everything that decides the outputs; null when they depend on more than is declared. */
    recipe: z.record(z.string(), z.unknown()).nullable(),
    /** Why the cache is not asked; null when it is. */
    always: z.string().max(200).nullable(),
    inputs: z.array(Subject).max(1000),
  }),
  output: z.object({
    state: z.enum(['running', 'done']),
    outputs: z.record(z.string(), Artifact),
    result: z.unknown(),
  }),
})

export const finishStep = operation({
  name: 'finish-step',
  method: 'POST',
  path: '/api/v1/runs/:run/steps/:step/finish',
  summary: 'Enter how an attempt at a step ended; runs do this by themselves',
  effect: 'write',
  permission: { verb: 'step:record', on: [] },
  lineage: { inputs: ['object', 'dataset-version'], outputs: ['object', 'run'] },
  errors: ['step_not_found', 'step_moved_on'],
  bodyLimit: 8 * 1024 * 1024,
  input: z.object({
    ...stepPath,
    state: z.enum(['done', 'failed', 'retrying', 'cancelled']),
    /** Its end was not seen, which is not held against the step. */
    lost: z.boolean().default(false),
    exitCode: z.int().nullable().default(null),
    reason: z.string().max(4000),
    outputs: z.record(z.string(), Artifact).default({}),
    result: z.unknown(),
    logDigest: Digest.nullable().default(null),
    usage: Usage.nullable().default(null),
    inputs: z.array(Subject).max(1000).default([]),
  }),
  output: z.object({ state: StepState }),
})

export const finishRun = operation({
  name: 'finish-run',
  method: 'POST',
  path: '/api/v1/runs/:run/finish',
  summary: 'Enter how a run ended; runs do this by themselves',
  effect: 'write',
  permission: { verb: 'step:record', on: [] },
  errors: ['run_not_found'],
  input: z.object({
    run: z.uuid(),
    state: z.enum(['done', 'failed', 'cancelled']),
    error: RunError.nullable().default(null),
  }),
  output: z.object({ run: z.uuid(), state: RunState }),
})

export const errors = defineErrors({
  pipeline_not_found: {
    status: 404,
    summary: 'No pipeline has this name.',
    hint: 'Declare it in a manifest of kind Pipeline and `pave apply` it; list what exists with `pave list-pipelines`.',
  },
  pipeline_invalid: {
    status: 422,
    summary: 'The steps of the pipeline do not fit together.',
    hint: 'Mend what `problems` names: each entry points at the step and field.',
  },
  pipeline_cycle: {
    status: 422,
    summary: 'Steps of the pipeline wait for each other.',
    hint: 'Take one of the named references away, so that some step can begin.',
  },
  code_not_found: {
    status: 422,
    summary: "The pipeline's code was not uploaded to this workspace.",
    hint: 'Let `pave apply` upload it from {directory: …}, or POST the bundle to /api/v1/objects first.',
  },
  params_invalid: {
    status: 422,
    summary: 'The params are not those that the pipeline declares.',
    hint: 'Give the params that `pave get-pipeline` lists, in their types.',
  },
  run_not_found: { status: 404, summary: 'No such run.', hint: 'List runs with `pave list-runs`.' },
  run_ended: { status: 409, summary: 'The run has ended already.', hint: 'Start another one with `pave start-run`.' },
  step_not_found: { status: 404, summary: 'The run has no such step.', hint: 'See its steps with `pave get-run`.' },
  step_moved_on: {
    status: 409,
    summary: 'The step is no longer where its caller believed it to be.',
    hint: 'Nothing to do: another worker carries the run on, or it was cancelled.',
  },
  step_failed: {
    status: 422,
    summary: 'A step of the run failed, and its retries are used up.',
    hint: 'Read its whole log with `pave read-step-log`; mend it and start the run again: finished steps come from the cache.',
  },
  operation_unknown: {
    status: 422,
    summary: 'A step names a job or operation that does not exist.',
    hint: 'Operations are listed at /openapi.json; those that answer 202 are jobs.',
  },
  reference_unresolved: {
    status: 422,
    summary: 'Something that a step refers to is not there.',
    hint: 'Look at what the named step answered with `pave get-run`.',
  },
  isolation_unavailable: {
    status: 409,
    summary: 'Steps cannot be kept apart on this machine, and there is more than one workspace.',
    hint: 'Run Pave as root or where user namespaces are allowed, or keep one workspace for each installation.',
  },
})
