import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Digest, FolderPath, folderTag, Instant, isPlainPath, listInput, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** A decimal number, because the stock `mlflow` client shows it; `0` is the experiment Default, made on first use. */
export const ExperimentId = z.string().regex(/^(0|[1-9]\d{0,8})$/, 'an experiment id is a decimal number')

/** `m-` and the 32 hexadecimal digits of a uuid. */
export const LoggedModelId = z.string().regex(/^m-[0-9a-f]{32}$/, 'a logged model id is m- and 32 hexadecimal digits')

/** Of a metric, parameter or tag. Slashes group keys, so a key must be a path that means itself. */
export const Key = z
  .string()
  .min(1)
  .max(250)
  .regex(/^[/\p{L}\p{N}_.\- :]*$/u, 'a key has letters, digits, spaces and _ - . : / only')
  .refine((key) => isPlainPath(key), 'a key must not begin or end with a slash, nor have the parts . or ..')

/** Of a file among the artifacts of a run or logged model; relative, with slashes. */
export const ArtifactPath = z
  .string()
  .min(1)
  .max(1000)
  .refine((path) => isPlainPath(path), 'a path is relative and has no empty part, no . and no ..')
  .refine((path) => !/^[A-Za-z]:/.test(path) && !/[\p{Cc}\\]/u.test(path), 'a path has no drive and no backslash')

const ParamValue = z.string().max(6000)
export const Tags = z.record(Key, z.string().max(8000))
export const Params = z.record(Key, ParamValue)
export const Name = z.string().min(1).max(500)
const ExperimentTags = Tags.refine(
  (tags) => !Object.hasOwn(tags, folderTag),
  `the folder of an experiment is no tag here: give it as folder, not as ${folderTag}`,
)
const State = z.enum(['active', 'deleted'])

/** A double; what JSON has no number for is written out. */
export const MetricValue = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])])
export type MetricValue = z.infer<typeof MetricValue>

const MeasuredDataset = z.object({ name: z.string().min(1).max(500), digest: z.string().max(100) })

export const MetricPoint = z.object({
  key: Key,
  value: MetricValue,
  step: z.int().default(0),
  /** Milliseconds since the epoch. */
  timestamp: z.int(),
  /** The logged model that was measured, and on which dataset. */
  loggedModel: LoggedModelId.nullable().default(null),
  dataset: MeasuredDataset.nullable().default(null),
})
export type MetricPoint = z.infer<typeof MetricPoint>

// What is answered was checked when it came. Checking each key of thousands again would cost more than reading them.
const Texts = z.record(z.string(), z.string())

/** A point as it is told. */
const LoggedPoint = z.object({ key: z.string(), value: MetricValue, step: z.int(), timestamp: z.int() })
export type LoggedPoint = z.infer<typeof LoggedPoint>

/** The latest point of a key: largest step, then timestamp, then value. The lowest and highest of all its numbers. */
const RunMetric = LoggedPoint.extend({ lowest: MetricValue.nullable(), highest: MetricValue.nullable() })

export const Experiment = z.object({
  experiment: ExperimentId,
  name: z.string(),
  folder: z.string().describe('Empty at the top'),
  state: State,
  tags: Tags,
  createdAt: Instant,
  updatedAt: Instant,
})
export type Experiment = z.infer<typeof Experiment>

export const RunStatus = z.enum(['scheduled', 'running', 'finished', 'failed', 'killed'])
export type RunStatus = z.infer<typeof RunStatus>

const Text = z.string().max(1_000_000)

/** What a run read, as its client describes it; `digest` is the client's own. */
export const RunDataset = z.object({
  name: Name,
  digest: z.string().min(1).max(100),
  sourceType: z.string().max(100),
  source: Text,
  schema: Text.nullable().default(null),
  profile: Text.nullable().default(null),
  tags: Tags.default({}),
})
export type RunDataset = z.infer<typeof RunDataset>

const RunModel = z.object({
  loggedModel: LoggedModelId,
  direction: z.enum(['input', 'output']),
  step: z.int().default(0),
})
export type RunModel = z.infer<typeof RunModel>

export const TrackingRun = z.object({
  run: z.uuid(),
  experiment: ExperimentId,
  name: z.string(),
  status: RunStatus,
  state: State,
  startedAt: Instant,
  endedAt: Instant.nullable(),
  author: z.uuid(),
  tags: Texts,
  params: Texts,
  metrics: z.array(RunMetric),
  datasets: z.array(RunDataset),
  models: z.array(RunModel),
})
export type TrackingRun = z.infer<typeof TrackingRun>

const RunTexts = TrackingRun.extend({
  params: z.string().describe('An array of objects of key and value'),
  metrics: z.string().describe('An array of objects of key, value, timestamp and step: the latest of each'),
})
export type RunTexts = z.infer<typeof RunTexts>

export const LoggedModelStatus = z.enum(['pending', 'ready', 'failed'])

export const LoggedModel = z.object({
  loggedModel: LoggedModelId,
  experiment: ExperimentId,
  name: z.string(),
  type: z.string(),
  status: LoggedModelStatus,
  run: z.uuid().nullable(),
  params: Texts,
  tags: Texts,
  metrics: z.array(LoggedPoint.extend({ run: z.uuid(), dataset: MetricPoint.shape.dataset })),
  createdAt: Instant,
  updatedAt: Instant,
})
export type LoggedModel = z.infer<typeof LoggedModel>

/** Artifacts belong to a run or to a logged model. */
export const ArtifactOwner = z.union([z.uuid(), LoggedModelId])

const Artifact = z.object({ path: ArtifactPath, digest: Digest, size: z.int().min(0) })

/** One thing in a directory; a directory has the size 0 and no digest. */
const ArtifactEntry = z.object({
  path: z.string(),
  directory: z.boolean(),
  size: z.int(),
  digest: Digest.nullable(),
})

/** An experiment with what a list tells of its runs, deleted ones left out. */
const ExperimentSummary = Experiment.extend({ runs: z.int(), lastRunAt: Instant.nullable() })

export const createExperiment = operation({
  name: 'create-experiment',
  method: 'POST',
  path: '/api/v1/experiments',
  summary: 'Make an experiment: a group of runs that are compared with each other',
  effect: 'write',
  permission: { verb: 'experiment:create', on: [] },
  errors: ['experiment_exists'],
  input: z.object({ name: Name, folder: FolderPath.default(''), tags: ExperimentTags.default({}) }),
  output: Experiment,
})

export const getExperiment = operation({
  name: 'get-experiment',
  method: 'GET',
  path: '/api/v1/experiments/:experiment',
  summary: 'Read an experiment',
  effect: 'read',
  permission: { verb: 'experiment:read', on: ['experiment'] },
  errors: ['experiment_not_found'],
  input: z.object({ experiment: ExperimentId }),
  output: Experiment,
})

export const listExperiments = operation({
  name: 'list-experiments',
  method: 'GET',
  path: '/api/v1/experiments',
  summary: 'List experiments, newest first',
  effect: 'read',
  permission: { verb: 'experiment:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    name: z.string().max(500).optional(),
    search: z.string().max(200).optional().describe('Part of the name'),
    folder: FolderPath.optional().describe('Only those in this folder; empty is the top'),
    below: z.boolean().default(false).describe('Those in folders below it too'),
    state: z.enum(['active', 'deleted', 'all']).default('active'),
  }),
  output: pageOf(ExperimentSummary),
})

export const searchExperiments = operation({
  name: 'search-experiments',
  method: 'POST',
  path: '/api/v1/experiments/search',
  summary: 'Search experiments by name, folder, times and tags; newest first unless ordered otherwise',
  effect: 'read',
  permission: { verb: 'experiment:read', on: [] },
  errors: ['experiment_search_invalid'],
  input: z.object({
    filter: z.string().max(50_000).default('').describe("As MLflow writes it: name LIKE 'fl%' and tags.team = 'a'"),
    order: z.array(z.string().max(1000)).max(10).default([]).describe('As MLflow writes them: creation_time DESC'),
    state: z.enum(['active', 'deleted', 'all']).default('active'),
    limit: z.int().min(1).max(1000).default(100),
    cursor: z.string().max(100_000).optional(),
  }),
  output: pageOf(Experiment),
})

export const updateExperiment = operation({
  name: 'update-experiment',
  method: 'PATCH',
  path: '/api/v1/experiments/:experiment',
  summary: 'Rename, move, tag, delete or restore an experiment',
  effect: 'write',
  permission: { verb: 'experiment:update', on: ['experiment'] },
  errors: ['experiment_not_found', 'experiment_exists', 'being_purged'],
  input: z.object({
    experiment: ExperimentId,
    name: Name.optional(),
    folder: FolderPath.optional(),
    state: State.optional(),
    tags: ExperimentTags.default({}).describe('Added to the tags that it has'),
    removeTags: z.array(z.string().max(250)).max(100).default([]),
  }),
  output: Experiment,
})

export const moveExperiments = operation({
  name: 'move-experiments',
  method: 'POST',
  path: '/api/v1/experiments/move',
  summary: 'Move experiments to a folder; a folder is there while something is in it',
  effect: 'write',
  permission: { verb: 'experiment:update', on: [] },
  errors: ['experiment_not_found'],
  input: z.object({ experiments: z.array(ExperimentId).min(1).max(1000), folder: FolderPath }),
  output: z.object({
    folder: z.string(),
    moved: z.array(z.object({ experiment: ExperimentId, from: z.string() })).describe('Those that were elsewhere'),
  }),
})

export const carryExperiments = operation({
  name: 'carry-experiments',
  method: 'POST',
  path: '/api/v1/experiments/carry',
  summary: 'Give another path to a folder of experiments and what is below; rename-folder does this by itself',
  effect: 'write',
  permission: { verb: 'folder:carry', on: [] },
  errors: [],
  input: z.object({ folder: FolderPath.min(1), to: FolderPath.min(1) }),
  output: z.object({ experiments: z.int() }),
})

export const createTrackingRun = operation({
  name: 'create-tracking-run',
  method: 'POST',
  path: '/api/v1/experiments/:experiment/tracking-runs',
  summary: 'Begin a tracked run',
  effect: 'write',
  permission: { verb: 'run:create', on: ['experiment'] },
  errors: ['experiment_not_found', 'experiment_deleted'],
  input: z.object({
    experiment: ExperimentId,
    name: Name.optional(),
    startedAt: Instant.optional(),
    tags: Tags.default({}),
  }),
  output: TrackingRun,
})

export const getTrackingRun = operation({
  name: 'get-tracking-run',
  method: 'GET',
  path: '/api/v1/tracking-runs/:run',
  summary: 'Read a tracked run: parameters, tags, latest metrics, what it read and made',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['tracking_run_not_found'],
  input: z.object({ run: z.uuid() }),
  output: TrackingRun,
})

export const updateTrackingRun = operation({
  name: 'update-tracking-run',
  method: 'PATCH',
  path: '/api/v1/tracking-runs/:run',
  summary: 'End, rename, delete or restore a tracked run, or take tags off it',
  effect: 'write',
  permission: { verb: 'run:update', on: [] },
  errors: ['tracking_run_not_found', 'tracking_run_deleted', 'being_purged'],
  input: z.object({
    run: z.uuid(),
    name: Name.optional(),
    status: RunStatus.optional(),
    endedAt: Instant.optional(),
    state: State.optional(),
    removeTags: z.array(z.string().max(250)).max(100).default([]),
  }),
  output: TrackingRun,
})

export const RunOrder = z.object({
  field: z.enum(['metric', 'param', 'tag', 'attribute']),
  /** Attributes are `run`, `name`, `status`, `author`, `startedAt` and `endedAt`. */
  key: z.string().min(1).max(250),
  descending: z.boolean().default(false),
})
export type RunOrder = z.infer<typeof RunOrder>

/** `metrics` wants all of a kind, `metrics.auc` one key of it. */
const RunField = z
  .string()
  .max(260)
  .regex(
    /^((metrics|params|tags)(\..+)?|datasets|models)$/,
    'a field is metrics, params, tags, one key of them, datasets or models',
  )

export const searchTrackingRuns = operation({
  name: 'search-tracking-runs',
  method: 'POST',
  path: '/api/v1/tracking-runs/search',
  summary: 'Search tracked runs by metrics, parameters, tags and attributes; newest first unless ordered otherwise',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['run_search_invalid'],
  input: z.object({
    experiments: z.array(ExperimentId).max(1000),
    filter: z
      .string()
      .max(50_000)
      .default('')
      .describe(
        "As MLflow writes it, with OR, NOT and parentheses: metrics.auc > 0.7 and (params.depth = '6' or tags.team = 'a')",
      ),
    orderBy: z.array(RunOrder).max(10).default([]),
    order: z
      .array(z.string().max(1000))
      .max(10)
      .default([])
      .describe('More orderings, as MLflow writes them: metrics.auc DESC'),
    state: z.enum(['active', 'deleted', 'all']).default('active'),
    fields: z.array(RunField).max(100).optional().describe('What to tell of each run; everything when left out'),
    count: z.boolean().default(false).describe('Count all runs that are found, on whatever page'),
    limit: z.int().min(1).max(1000).default(100),
    cursor: z.string().max(100_000).optional(),
  }),
  output: pageOf(TrackingRun).extend({ total: z.int().nullable().describe('Null unless it was asked for') }),
})

export const searchRunTexts = operation({
  name: 'search-run-texts',
  method: 'POST',
  path: '/api/v1/tracking-runs/search-texts',
  summary: 'Search tracked runs, and tell parameters and metrics as texts of JSON, for whoever passes them on unread',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['run_search_invalid'],
  input: searchTrackingRuns.input.omit({ fields: true, count: true }),
  output: pageOf(RunTexts),
})

export const logRunData = operation({
  name: 'log-run-data',
  method: 'POST',
  path: '/api/v1/tracking-runs/:run/data',
  summary: 'Log metric points, parameters and tags, all of them or none; a repeated point is there once',
  effect: 'ingest',
  durability: 'durable',
  permission: { verb: 'run:log', on: [] },
  errors: ['tracking_run_not_found', 'tracking_run_deleted', 'param_changed', 'logged_model_not_found'],
  bodyLimit: 16 * 1024 * 1024,
  input: z.object({
    run: z.uuid(),
    metrics: z.array(MetricPoint).max(10_000).default([]),
    params: Params.default({}),
    tags: Tags.default({}),
  }),
  output: z.object({
    points: z.int().describe('Different points in this batch; 0 when the same batch was logged just before'),
  }),
})

export const listMetricPoints = operation({
  name: 'list-metric-points',
  method: 'GET',
  path: '/api/v1/tracking-runs/:run/metric-points',
  summary: 'List all points of one metric of a run, by step',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['tracking_run_not_found'],
  input: z.object({
    run: z.uuid(),
    key: z.string().min(1).max(250),
    limit: z.int().min(1).max(25_000).default(1000),
    cursor: z.string().max(1000).optional(),
  }),
  output: pageOf(LoggedPoint),
})

/** `total` counts the points before they were thinned out. */
const MetricSample = z.object({ run: z.uuid(), total: z.int(), points: z.array(LoggedPoint) })

export const sampleMetric = operation({
  name: 'sample-metric',
  method: 'POST',
  path: '/api/v1/tracking-runs/sample-metric',
  summary: 'Read one metric of some runs thinned out for a chart, with its peaks and gaps',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['metric_history_too_long'],
  input: z.object({
    runs: z.array(z.uuid()).min(1).max(100),
    key: z.string().min(1).max(250),
    points: z.int().min(5).max(5000).default(500).describe('The most points to answer for each run'),
    axis: z.enum(['step', 'time']).default('step').describe('What the points are spread over, and ordered by'),
    fromStep: z.int().optional(),
    toStep: z.int().optional(),
  }),
  output: z.object({ series: z.array(MetricSample) }),
})

export const recordRunLineage = operation({
  name: 'record-run-lineage',
  method: 'POST',
  path: '/api/v1/tracking-runs/:run/lineage',
  summary: 'Record which datasets and logged models a run read, and which logged models it made',
  effect: 'write',
  permission: { verb: 'run:log', on: [] },
  lineage: { inputs: ['logged-model'], outputs: ['logged-model'] },
  errors: ['tracking_run_not_found', 'tracking_run_deleted', 'logged_model_not_found'],
  bodyLimit: 16 * 1024 * 1024,
  input: z.object({
    run: z.uuid(),
    datasets: z.array(RunDataset).max(100).default([]),
    models: z.array(RunModel).max(100).default([]),
  }),
  output: z.object({ run: z.uuid() }),
})

export const createLoggedModel = operation({
  name: 'create-logged-model',
  method: 'POST',
  path: '/api/v1/experiments/:experiment/logged-models',
  summary: 'Announce a model whose files are about to be uploaded as artifacts',
  effect: 'write',
  permission: { verb: 'run:create', on: ['experiment'] },
  lineage: { inputs: ['run'], outputs: ['logged-model'] },
  errors: ['experiment_not_found', 'experiment_deleted', 'tracking_run_not_found'],
  input: z.object({
    experiment: ExperimentId,
    name: Name.optional(),
    type: z.string().max(500).default(''),
    run: z.uuid().optional(),
    params: Params.default({}),
    tags: Tags.default({}),
  }),
  output: LoggedModel,
})

export const getLoggedModel = operation({
  name: 'get-logged-model',
  method: 'GET',
  path: '/api/v1/logged-models/:loggedModel',
  summary: 'Read a logged model',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['logged_model_not_found'],
  input: z.object({ loggedModel: LoggedModelId }),
  output: LoggedModel,
})

export const updateLoggedModel = operation({
  name: 'update-logged-model',
  method: 'PATCH',
  path: '/api/v1/logged-models/:loggedModel',
  summary: 'Say that a logged model is complete or failed; add parameters; change tags',
  effect: 'write',
  permission: { verb: 'run:update', on: [] },
  errors: ['logged_model_not_found', 'param_changed'],
  input: z.object({
    loggedModel: LoggedModelId,
    status: LoggedModelStatus.optional(),
    params: Params.default({}),
    tags: Tags.default({}),
    removeTags: z.array(z.string().max(250)).max(100).default([]),
  }),
  output: LoggedModel,
})

export const searchLoggedModels = operation({
  name: 'search-logged-models',
  method: 'POST',
  path: '/api/v1/logged-models/search',
  summary: 'Search the logged models of some experiments, newest first unless ordered otherwise',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['run_search_invalid'],
  input: z.object({
    ...listInput,
    cursor: z.string().max(100_000).optional(),
    experiments: z.array(ExperimentId).max(1000),
    run: z.uuid().optional(),
    name: z.string().max(500).optional(),
    filter: z
      .string()
      .max(50_000)
      .default('')
      .describe("As MLflow writes it, with OR, NOT and parentheses: metrics.auc > 0.7 and name = 'forest'"),
    datasets: z
      .array(z.object({ name: Name, digest: z.string().max(100).optional() }))
      .max(100)
      .default([])
      .describe('Metrics in the filter are those on one of these datasets'),
    orderBy: z
      .array(
        z.object({
          key: z.string().max(300),
          descending: z.boolean().default(false),
          dataset: z.object({ name: Name, digest: z.string().max(100).optional() }).optional(),
        }),
      )
      .max(10)
      .default([]),
  }),
  output: pageOf(LoggedModel),
})

export const recordArtifact = operation({
  name: 'record-artifact',
  method: 'PUT',
  path: '/api/v1/artifacts/:owner',
  summary: 'Give an uploaded object a path among the artifacts of a run or logged model',
  effect: 'write',
  permission: { verb: 'run:log', on: [] },
  errors: [
    'tracking_run_not_found',
    'tracking_run_deleted',
    'logged_model_not_found',
    'artifact_object_unknown',
    'artifact_path_taken',
  ],
  input: z.object({ owner: ArtifactOwner, ...Artifact.shape }),
  output: Artifact,
})

export const getArtifact = operation({
  name: 'get-artifact',
  method: 'GET',
  path: '/api/v1/artifacts/:owner/file',
  summary: 'Find the object behind one path among the artifacts of a run or logged model',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['run_artifact_not_found'],
  input: z.object({ owner: ArtifactOwner, path: ArtifactPath }),
  output: Artifact,
})

export const listArtifacts = operation({
  name: 'list-artifacts',
  method: 'GET',
  path: '/api/v1/artifacts/:owner',
  summary: 'List what lies directly in one directory of the artifacts of a run or logged model',
  effect: 'read',
  permission: { verb: 'run:read', on: [] },
  errors: ['tracking_run_not_found', 'logged_model_not_found'],
  input: z.object({
    owner: ArtifactOwner,
    path: ArtifactPath.optional(),
    recursive: z.boolean().default(false).describe('All files below, and no directories'),
    limit: z.int().min(1).max(1000).default(200),
    cursor: z.string().max(2000).optional(),
  }),
  output: pageOf(ArtifactEntry),
})

export const deleteArtifacts = operation({
  name: 'delete-artifacts',
  method: 'DELETE',
  path: '/api/v1/artifacts/:owner',
  summary: 'Take a file, or all below a directory, out of the artifacts; versions registered from them keep theirs',
  effect: 'write',
  permission: { verb: 'run:update', on: [] },
  errors: ['tracking_run_not_found', 'tracking_run_deleted', 'logged_model_not_found', 'run_artifact_not_found'],
  input: z.object({ owner: ArtifactOwner, path: ArtifactPath }),
  output: z.object({ files: z.int(), bytes: z.int() }),
})

export const errors = defineErrors({
  experiment_not_found: {
    status: 404,
    summary: 'No experiment has this id.',
    hint: 'List what exists with `pave list-experiments`.',
  },
  experiment_exists: {
    status: 409,
    summary: 'An experiment has this name; a deleted one keeps its name.',
    hint: 'Choose another name, or restore the deleted experiment.',
  },
  experiment_search_invalid: {
    status: 422,
    summary: 'The search of experiments cannot be read, or names something that they have not.',
    hint: 'The message says at which column. There are name, folder, experiment_id, creation_time, last_update_time and tags.',
  },
  experiment_deleted: {
    status: 409,
    summary: 'The experiment is deleted and takes no more runs.',
    hint: 'Restore it with `pave update-experiment --state active`, or use another one.',
  },
  tracking_run_not_found: {
    status: 404,
    summary: 'No tracked run has this id.',
    hint: 'Find runs with `pave search-tracking-runs`.',
  },
  tracking_run_deleted: {
    status: 409,
    summary: 'The tracked run is deleted and cannot change.',
    hint: 'Restore it with `pave update-tracking-run --state active`.',
  },
  tracking_run_elsewhere: {
    status: 409,
    summary: 'A run has this id already, in another experiment.',
    hint: 'Two experiments of the other server have one name here: rename one there, and import again.',
  },
  being_purged: {
    status: 409,
    summary: 'A part of it is gone already.',
    hint: 'It cannot be restored any more; a backup may have it.',
  },
  not_in_trash: {
    status: 409,
    summary: 'Only what is deleted can be purged.',
    hint: 'See what is in the trash with `pave list-trash`; delete what is not there first.',
  },
  logged_model_elsewhere: {
    status: 409,
    summary: 'A logged model has this id already, in another experiment.',
    hint: 'Two experiments of the other server have one name here: rename one there, and import again.',
  },
  logged_model_not_found: {
    status: 404,
    summary: 'No logged model has this id.',
    hint: 'Find logged models with `pave search-logged-models`.',
  },
  param_changed: {
    status: 409,
    summary: 'A parameter that was logged before was logged with another value.',
    hint: 'Parameters never change: begin a new run, or log what varies as a metric or tag.',
  },
  run_search_invalid: {
    status: 422,
    summary: 'The search cannot be read, or compares or orders by something that does not exist.',
    hint: 'The message says at which column and what is expected there. Compare metrics with numbers, texts in quotes.',
  },
  metric_history_too_long: {
    status: 422,
    summary: 'The history has more points than can be sampled at once.',
    hint: 'Ask for a part of it with fromStep and toStep.',
  },
  run_artifact_not_found: {
    status: 404,
    summary: 'There is no such file among the artifacts.',
    hint: 'List what is there with `pave list-artifacts`.',
  },
  artifact_object_unknown: {
    status: 422,
    summary: 'The workspace has no object with this digest.',
    hint: 'Upload the bytes first: POST /api/v1/objects answers their digest.',
  },
  artifact_path_taken: {
    status: 409,
    summary: 'A file cannot also be a directory.',
    hint: 'Choose another path.',
  },
})
