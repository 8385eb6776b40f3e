import { z } from 'zod'
import { datatypes } from '#algorithms/tensors/datatypes.ts'
import { defineErrors } from '#platform/errors.ts'
import {
  Alias,
  Digest,
  FolderPath,
  folderTag,
  Identifier,
  Instant,
  listInput,
  ModelName,
  Name,
  pageOf,
  VersionRef,
} from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** Of a model or version: what stock clients write, such as `mlflow.prompt.is_prompt`. */
const TagKey = z
  .string()
  .min(1)
  .max(250)
  .regex(/^[/\p{L}\p{N}_.\- :]*$/u, 'a tag has letters, digits, spaces and _ - . : / only')
const Tags = z
  .record(TagKey, z.string().max(100_000))
  .refine((tags) => Object.keys(tags).length <= 1000, 'there are 1,000 tags at most')

export const ModelSpec = z.strictObject({
  description: z.string().max(5000).default(''),
  owner: z.string().min(1).max(200),
  /** Risk tier: 1 is the gravest. Gates and approvals depend on it. */
  tier: z.int().min(1).max(4),
  task: z.enum(['binary-classification', 'multiclass-classification', 'regression', 'ranking', 'prompt', 'other']),
  /** What a prediction means, for people: "probability that the flight arrives more than 15 minutes late". */
  prediction: z.string().max(500).default(''),
  tags: Tags.refine(
    (tags) => !Object.hasOwn(tags, folderTag),
    `the folder of a model is no tag here: give it as folder, not as ${folderTag}`,
  ).default({}),
})
export type ModelSpec = z.infer<typeof ModelSpec>

/** A tensor in the terms of the Open Inference Protocol; -1 is a free dimension. */
const Tensor = z.strictObject({
  name: z.string().min(1).max(200),
  datatype: z.enum(datatypes),
  shape: z.array(z.int().min(-1)).max(8),
})

export const Signature = z.strictObject({
  inputs: z.array(Tensor).max(1000),
  outputs: z.array(Tensor).max(1000),
})
export type Signature = z.infer<typeof Signature>

export const FeatureProfile = z.object({
  name: z.string().max(200),
  count: z.int().min(0),
  nulls: z.int().min(0),
  mean: z.number().nullable(),
  std: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** Inner bin edges, ascending; bin `i` is `[edges[i-1], edges[i])`. */
  edges: z.array(z.number()).max(200),
  counts: z.array(z.int().min(0)).max(201),
})
export type FeatureProfile = z.infer<typeof FeatureProfile>

const Metrics = z.record(z.string().max(200), z.number())
export type Metrics = z.infer<typeof Metrics>

const Baseline = z.object({ name: z.string().max(200), metrics: Metrics })
const Slice = z.object({ slice: z.string().max(200), rows: z.int().min(0), metrics: Metrics })

/** The files of a version, in the order of their paths, as they were when it was registered. */
export const FileTree = z.array(
  z.strictObject({ path: z.string().min(1).max(1000), digest: Digest, size: z.int().min(0) }),
)
export type FileTree = z.infer<typeof FileTree>

const VersionContent = {
  /** Digest of the ONNX graph in the object store; without one only its ONNX twin can be released. */
  artifact: Digest.nullable().default(null),
  /** Digest of a `FileTree` as JSON: everything that the model was logged with. */
  files: Digest.nullable().default(null),
  /** How the files can be loaded, in MLflow's words: `sklearn`, `onnx`, `python_function`. */
  flavors: z.array(z.string().max(100)).max(50).default([]),
  /** Empty when nobody knows; that of the graph when there is one. */
  signature: Signature.default({ inputs: [], outputs: [] }),
  /** What it consists of besides files, such as the text of a prompt. */
  properties: Tags.default({}),
  /** Feature names in the order of the columns of the single input tensor; empty when the inputs are taken as they are. */
  features: z.array(Identifier).max(2000).default([]),
  /** Output tensor that is the prediction; the first by default. */
  output: z.string().max(200).optional(),
  metrics: Metrics.default({}),
  baseline: Baseline.nullable().default(null),
  slices: z.array(Slice).max(1000).default([]),
  /** Of the features as trained on: what live inputs are compared with. */
  profile: z.array(FeatureProfile).max(2000).default([]),
  /** Of the predictions on the evaluation set. */
  predictionProfile: FeatureProfile.nullable().default(null),
  run: z.uuid().nullable().default(null),
  /** Where its files were when it was registered, in the words of whoever did. */
  source: z.string().max(2000).nullable().default(null),
  /** The logged model that it was registered from. */
  loggedModel: z.string().max(100).nullable().default(null),
  trainingSet: Digest.nullable().default(null),
  /** `dataset@version`. */
  datasets: z.array(VersionRef).max(100).default([]),
  featureService: Name.nullable().default(null),
  code: Digest.nullable().default(null),
  note: z.string().max(5000).default(''),
}

/** A word that people hang on a version. Nothing follows from it: releases decide what serves. */
const Stage = z.enum(['none', 'staging', 'production', 'archived'])
export type Stage = z.infer<typeof Stage>

/** Flavours of MLflow whose models Pave can convert to an ONNX graph, the most particular first. */
export const convertible = ['lightgbm', 'xgboost', 'sklearn', 'pytorch'] as const

/** What the graph and the model in Python answered to the same rows. */
export const TwinReport = z.object({
  flavor: z.enum(convertible),
  /** Library and version: `skl2onnx 1.20.0`. */
  converter: z.string().max(200),
  opset: z.int().min(0),
  python: z.string().max(100),
  /** Versions of what took part. */
  packages: z.record(z.string().max(100), z.string().max(100)),
  /** Rows compared, and how many of them came from where: the logged input example, the profile, the signature. */
  samples: z.int().min(1),
  origins: z.record(z.string().max(100), z.int().min(0)),
  /** The output that was compared, which is the prediction. */
  output: z.string().max(200),
  /** The names of the model's columns in its own order; null where it knows none, or the version names no features. */
  columns: z.array(z.string().max(500)).max(2000).nullable().default(null),
  /** Null where one side has a number and the other has none. */
  maxAbsolute: z.number().nullable(),
  maxRelative: z.number().nullable(),
  /** What is held against the tolerance: absolute up to 1, relative beyond. */
  difference: z.number().nullable(),
  worst: z.object({ row: z.int().min(0), model: z.number().nullable(), graph: z.number().nullable() }),
  /** Rows whose label differs though the model was not undecided; null for models without labels. */
  labels: z.int().min(0).nullable(),
})
export type TwinReport = z.infer<typeof TwinReport>

export const TwinProblem = z.object({
  code: z.string().max(100),
  message: z.string().max(4000),
  /** The last lines that the conversion printed. */
  lines: z.array(z.string().max(4000)).max(50),
})
export type TwinProblem = z.infer<typeof TwinProblem>

/** The ONNX graph that Pave made of a version that was registered without one. It serves only when `ready`. */
export const OnnxTwin = z.object({
  /** `differs`: there is a graph, but it answers otherwise than the model by more than the tolerance. */
  state: z.enum(['converting', 'ready', 'differs', 'failed']),
  job: z.uuid(),
  flavor: z.enum(convertible),
  tolerance: z.number(),
  askedBy: z.uuid(),
  askedAt: Instant,
  endedAt: Instant.nullable(),
  /** Digest and size of the graph, its own signature and the output that is the prediction; null unless `ready`. */
  artifact: Digest.nullable(),
  size: z.int().nullable(),
  signature: Signature.nullable(),
  output: z.string().nullable(),
  report: TwinReport.nullable(),
  /** Why it is not ready. */
  problem: TwinProblem.nullable(),
  /** Digest of what the conversion printed. */
  log: Digest.nullable(),
})
export type OnnxTwin = z.infer<typeof OnnxTwin>

export const Version = z.object({
  ref: z.string(),
  model: ModelName,
  version: z.int(),
  ...VersionContent,
  output: z.string(),
  /** Digest of everything above: the version's identity. */
  digest: Digest,
  /** Whoever registered it, or on whose behalf. */
  author: z.uuid(),
  aliases: z.array(z.string()),
  registeredAt: Instant,
  /** These may change, and `note` may. */
  tags: Tags.default({}),
  stage: Stage.default('none'),
  changedAt: Instant,
  /** Of a version without a graph of its own; null when none was asked for. */
  twin: OnnxTwin.nullable().default(null),
})
export type Version = z.infer<typeof Version>

const Model = z.object({
  model: ModelName,
  folder: z.string().describe('Empty at the top'),
  spec: ModelSpec,
  latestVersion: z.int().nullable(),
  aliases: z.record(z.string(), z.int()),
  createdAt: Instant,
  /** When it was last declared, got a version, or had an alias moved. */
  changedAt: Instant,
})
export type Model = z.infer<typeof Model>

export const putModel = operation({
  name: 'put-model',
  method: 'PUT',
  path: '/api/v1/models/:model',
  summary: 'Declare a model: its owner, its risk tier, what it predicts',
  effect: 'write',
  permission: { verb: 'model:put', on: ['model'] },
  manifest: { kind: 'Model', read: 'get-model' },
  errors: [],
  input: z.object({
    model: ModelName,
    spec: ModelSpec,
    folder: FolderPath.optional().describe('Where to put it; it stays where it is, or begins at the top, without one'),
  }),
  output: Model,
})

export const getModel = operation({
  name: 'get-model',
  method: 'GET',
  path: '/api/v1/models/:model',
  summary: 'Read a model',
  effect: 'read',
  permission: { verb: 'model:read', on: ['model'] },
  errors: ['model_not_found'],
  input: z.object({ model: ModelName }),
  output: Model,
})

export const listModels = operation({
  name: 'list-models',
  method: 'GET',
  path: '/api/v1/models',
  summary: 'List models, by name or by their last change',
  effect: 'read',
  permission: { verb: 'model:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    search: z.string().max(200).optional().describe('Part of the name, the owner or the description'),
    tier: z.int().min(1).max(4).optional(),
    folder: FolderPath.optional().describe('Only those in this folder; empty is the top'),
    below: z.boolean().default(false).describe('Those in folders below it too'),
    prompts: z.boolean().default(false).describe('Prompts instead of models'),
    order: z.enum(['name', 'changed']).default('name'),
  }),
  output: pageOf(Model),
})

export const moveModels = operation({
  name: 'move-models',
  method: 'POST',
  path: '/api/v1/models/move',
  summary: 'Move models to a folder; a folder is there while something is in it',
  effect: 'write',
  permission: { verb: 'model:put', on: [] },
  errors: ['model_not_found'],
  input: z.object({ models: z.array(ModelName).min(1).max(1000), folder: FolderPath }),
  output: z.object({
    folder: z.string(),
    moved: z.array(z.object({ model: ModelName, from: z.string() })).describe('Those that were elsewhere'),
  }),
})

export const carryModels = operation({
  name: 'carry-models',
  method: 'POST',
  path: '/api/v1/models/carry',
  summary: 'Give another path to a folder of models and what is below; rename-folder does this by itself',
  effect: 'write',
  permission: { verb: 'folder:carry', on: [] },
  errors: [],
  input: z.object({ folder: FolderPath.min(1), to: FolderPath.min(1) }),
  output: z.object({ models: z.int() }),
})

export const registerVersion = operation({
  name: 'register-version',
  method: 'POST',
  path: '/api/v1/models/:model/versions',
  summary: 'Register an immutable version: its files or ONNX graph, signature, metrics, profile and lineage',
  effect: 'write',
  permission: { verb: 'version:create', on: ['model'] },
  lineage: { inputs: ['run', 'logged-model', 'training-set', 'dataset-version', 'object'], outputs: ['version'] },
  errors: [
    'model_not_found',
    'artifact_not_found',
    'onnx_invalid',
    'signature_mismatch',
    'features_mismatch',
    'files_invalid',
  ],
  bodyLimit: 8 * 1024 * 1024,
  input: z.object({ model: ModelName, ...VersionContent, tags: Tags.default({}) }),
  output: Version,
})

export const importVersion = operation({
  name: 'import-version',
  method: 'PUT',
  path: '/api/v1/imports/models/:model/versions/:number',
  summary: 'Copy a version of another registry with its number and time',
  effect: 'write',
  permission: { verb: 'registry:import', on: [] },
  lineage: { inputs: ['run', 'logged-model', 'training-set', 'dataset-version', 'object'], outputs: ['version'] },
  errors: [...registerVersion.errors, 'version_taken'],
  bodyLimit: 8 * 1024 * 1024,
  input: registerVersion.input.extend({ number: z.int().min(1), registeredAt: Instant, stage: Stage.default('none') }),
  output: Version,
})

export const getVersion = operation({
  name: 'get-version',
  method: 'GET',
  path: '/api/v1/versions/:version',
  summary: 'Read a version by model@version or model@alias',
  effect: 'read',
  permission: { verb: 'version:read', on: [] },
  errors: ['version_not_found'],
  input: z.object({ version: VersionRef }),
  output: Version,
})

export const listVersions = operation({
  name: 'list-versions',
  method: 'GET',
  path: '/api/v1/models/:model/versions',
  summary: "List a model's versions, newest first",
  effect: 'read',
  permission: { verb: 'version:read', on: ['model'] },
  errors: ['model_not_found'],
  input: z.object({ model: ModelName, ...listInput }),
  output: pageOf(Version),
})

/** Where the caller saw the alias, null for nowhere; one that has been moved meanwhile stays where it is. */
const AliasedBefore = z.int().min(1).nullable().optional()

const MoveReason = z.string().max(500).default('').describe('Why; it stays in the ledger')

export const setAlias = operation({
  name: 'set-alias',
  method: 'PUT',
  path: '/api/v1/models/:model/aliases/:alias',
  summary: 'Point an alias at a version',
  effect: 'write',
  permission: { verb: 'model:alias', on: ['model'] },
  errors: ['version_not_found', 'alias_reserved', 'alias_moved'],
  input: z.object({
    model: ModelName,
    alias: Alias,
    version: z.int().min(1),
    from: AliasedBefore,
    reason: MoveReason,
  }),
  output: z.object({ model: ModelName, alias: Alias, version: z.int() }),
})

export const deleteAlias = operation({
  name: 'delete-alias',
  method: 'DELETE',
  path: '/api/v1/models/:model/aliases/:alias',
  summary: 'Take an alias away',
  effect: 'write',
  permission: { verb: 'model:alias', on: ['model'] },
  errors: ['version_not_found', 'alias_moved'],
  input: z.object({ model: ModelName, alias: Alias, from: AliasedBefore, reason: MoveReason }),
  output: z.object({ removed: z.boolean() }),
})

export const AliasMove = z.object({
  alias: z.string(),
  /** Null where it was at no version, or is at none now. */
  from: z.int().nullable(),
  to: z.int().nullable(),
  at: Instant,
  by: z.uuid(),
  byName: z.string().nullable(),
  reason: z.string(),
  operation: z.string(),
  /** The ledger entry that proves it. */
  entry: z.uuid(),
  leaf: z.int().nullable(),
  /** Entry of the move that this one took back. */
  undoes: z.uuid().nullable(),
})
export type AliasMove = z.infer<typeof AliasMove>

export const listAliasMoves = operation({
  name: 'list-alias-moves',
  method: 'GET',
  path: '/api/v1/models/:model/alias-moves',
  summary: "List the moves of a model's aliases, newest first: from where, to where, who, when and why",
  effect: 'read',
  permission: { verb: 'model:read', on: ['model'] },
  errors: [],
  input: z.object({ model: ModelName, alias: Alias.optional(), ...listInput }),
  output: pageOf(AliasMove),
})

export const undoAliasMove = operation({
  name: 'undo-alias-move',
  method: 'POST',
  path: '/api/v1/models/:model/aliases/:alias/undo',
  summary: 'Take back the last move of an alias; refused when it was moved since',
  effect: 'write',
  permission: { verb: 'model:alias', on: ['model'] },
  errors: ['model_not_found', 'version_not_found', 'alias_moved', 'alias_move_final'],
  input: z.object({
    model: ModelName,
    alias: Alias,
    move: z.uuid().describe('The ledger entry of the move: entry in `pave list-alias-moves`'),
    reason: MoveReason,
  }),
  output: z.object({ model: ModelName, alias: Alias, version: z.int().nullable() }),
})

const searchInput = {
  filter: z
    .string()
    .max(50_000)
    .default('')
    .describe("As MLflow writes it, and with OR and parentheses: name LIKE 'flight%' and tags.team = 'a'"),
  orderBy: z.array(z.string().max(300)).max(10).default([]).describe('Keys with ASC or DESC'),
  cursor: z.string().max(4000).optional(),
}

export const searchModels = operation({
  name: 'search-models',
  method: 'POST',
  path: '/api/v1/models/search',
  summary: 'Search models by name, folder, tags and times; prompts are left out unless the filter asks for them',
  effect: 'read',
  permission: { verb: 'model:read', on: [] },
  errors: ['registry_search_invalid'],
  input: z.object({ ...searchInput, limit: z.int().min(1).max(1000).default(100) }),
  output: pageOf(Model),
})

export const searchVersions = operation({
  name: 'search-versions',
  method: 'POST',
  path: '/api/v1/versions/search',
  summary: 'Search the versions of all models by name, number, run, stage, tags and times',
  effect: 'read',
  permission: { verb: 'version:read', on: [] },
  errors: ['registry_search_invalid'],
  input: z.object({
    ...searchInput,
    models: z.array(ModelName).max(1000).optional().describe('Only versions of these'),
    latest: z.boolean().default(false).describe('Only the newest version of each model in each stage'),
    limit: z.int().min(1).max(1000).default(100),
  }),
  output: pageOf(Version),
})

export const updateVersion = operation({
  name: 'update-version',
  method: 'PATCH',
  path: '/api/v1/versions/:version',
  summary: 'Change what may change about a version: its note, its tags and its stage',
  effect: 'write',
  permission: { verb: 'version:update', on: [] },
  errors: ['version_not_found', 'version_immutable'],
  bodyLimit: 8 * 1024 * 1024,
  input: z.object({
    version: VersionRef,
    note: z.string().max(5000).optional(),
    tags: Tags.default({}).describe('Added to the tags that it has'),
    removeTags: z.array(z.string().max(250)).max(100).default([]),
    stage: Stage.optional(),
    archiveOthers: z.boolean().default(false).describe('Whether versions in that stage before are archived'),
  }),
  output: Version,
})

export const deleteVersion = operation({
  name: 'delete-version',
  method: 'DELETE',
  path: '/api/v1/versions/:version',
  summary:
    'Take a version out of the registry, unless it was ever released; registering the same content brings it back',
  effect: 'write',
  permission: { verb: 'version:delete', on: [] },
  admission: 'registry.remove',
  errors: ['version_not_found'],
  input: z.object({ version: VersionRef }),
  output: z.object({ removed: z.boolean() }),
})

export const deleteModel = operation({
  name: 'delete-model',
  method: 'DELETE',
  path: '/api/v1/models/:model',
  summary: 'Take a model and its versions out of the registry, unless one was ever released or an endpoint names it',
  effect: 'write',
  permission: { verb: 'model:delete', on: ['model'] },
  admission: 'registry.remove',
  errors: ['model_not_found'],
  input: z.object({ model: ModelName }),
  output: z.object({ removed: z.boolean() }),
})

export const renameModel = operation({
  name: 'rename-model',
  method: 'POST',
  path: '/api/v1/models/:model/rename',
  summary: 'Move a model and its versions to another name, unless one was ever released or an endpoint names it',
  effect: 'write',
  permission: { verb: 'model:put', on: ['model'] },
  lineage: { inputs: ['version'], outputs: ['version'] },
  admission: 'registry.remove',
  errors: ['model_not_found', 'model_exists'],
  input: z.object({ model: ModelName, name: ModelName }),
  output: Model,
})

export const errors = defineErrors({
  model_not_found: {
    status: 404,
    summary: 'No model has this name.',
    hint: 'Declare it in a manifest of kind Model and `pave apply` it; list what exists with `pave list-models`.',
  },
  version_not_found: {
    status: 404,
    summary: 'The model has no such version or alias.',
    hint: 'List versions with `pave list-versions --model NAME`.',
  },
  artifact_not_found: {
    status: 422,
    summary: 'The workspace does not have the artifact or the code.',
    hint: 'Upload it first: POST /api/v1/objects answers its digest.',
  },
  onnx_invalid: {
    status: 422,
    summary: 'The artifact is not an ONNX graph that Pave can serve.',
    hint: 'Export the model again as a self-contained .onnx file and check it with the onnx checker.',
  },
  signature_mismatch: {
    status: 422,
    summary: 'The declared signature differs from the inputs and outputs of the graph.',
    hint: 'Declare the tensors that the message lists, or export the graph with the declared names.',
  },
  features_mismatch: {
    status: 422,
    summary: 'The list of features does not fit the input tensor or the profile.',
    hint: 'Give as many features as the input tensor has columns, each with a profile of the same name.',
  },
  files_invalid: {
    status: 422,
    summary: 'The list of files cannot be read, or names bytes that the workspace does not have.',
    hint: 'Upload each file first, then the list of them as JSON: POST /api/v1/objects answers the digests.',
  },
  version_taken: {
    status: 409,
    summary: 'The version is here under another number, or another one has its number.',
    hint: 'Import into a workspace that has no model of this name, or rename the model that it has.',
  },
  version_immutable: {
    status: 409,
    summary: 'What a version consists of never changes.',
    hint: 'Register a new version; notes, other tags, stages and aliases may change.',
  },
  model_exists: {
    status: 409,
    summary: 'There is a model of this name.',
    hint: 'Choose another name.',
  },
  registry_search_invalid: {
    status: 422,
    summary: 'The filter or the ordering cannot be read.',
    hint: "Write comparisons joined by AND or OR, like name LIKE 'flight%' and tags.team = 'a'.",
  },
  version_has_graph: {
    status: 409,
    summary: 'The version has an ONNX graph of its own.',
    hint: 'Release it as it is: `pave start-release`.',
  },
  conversion_unsupported: {
    status: 422,
    summary: 'The model cannot be converted to an ONNX graph.',
    hint: 'Log it with a flavour of scikit-learn, XGBoost, LightGBM or PyTorch, of parts that its converter knows; or log an ONNX graph beside it.',
  },
  environment_failed: {
    status: 422,
    summary: 'The Python environment of the model cannot be made.',
    hint: 'Read the last lines of the log: pip says there what it could not install. Mend that, for instance in /etc/pip.conf, and ask again.',
  },
  model_unreadable: {
    status: 422,
    summary: 'The model cannot be loaded in its own environment.',
    hint: 'Check that mlflow loads it from its files alone, and register it again with the requirements and code that it lacks.',
  },
  samples_missing: {
    status: 422,
    summary: 'There is nothing to compare the graph and the model on.',
    hint: 'Log the model with an input example, or with a signature of numbers.',
  },
  conversion_failed: {
    status: 422,
    summary: 'The conversion ended before its end.',
    hint: 'Read the last lines of the log with `pave get-version`, and ask again with `pave convert-version`.',
  },
  twin_differs: {
    status: 422,
    summary: 'The ONNX graph answers otherwise than the model by more than the tolerance.',
    hint: 'Look at the report with `pave get-version`; if the difference is acceptable, ask again with a larger --tolerance.',
  },
  conversion_not_apart: {
    status: 409,
    summary: 'The model could not be kept apart from other workspaces.',
    hint: 'Run Pave as root, or allow unprivileged user namespaces: `pave doctor` says which is missing.',
  },
  conversion_moved_on: {
    status: 409,
    summary: 'The conversion is no longer the one under way.',
    hint: 'Read where it is with `pave get-version`.',
  },
  alias_moved: {
    status: 412,
    summary: 'Somebody moved the alias meanwhile.',
    hint: 'Look at where it points now, and move it again if that is still what you want.',
  },
  alias_move_final: {
    status: 409,
    summary: 'The alias went with its version, which was taken out of the registry.',
    hint: 'Point the alias at another version with `pave set-alias`.',
  },
  alias_reserved: {
    status: 422,
    summary: 'The alias looks like a version number.',
    hint: 'Choose a word such as champion.',
  },
})
