import { z } from 'zod'
import { datatypes } from '#algorithms/tensors/datatypes.ts'
import { defineErrors } from '#platform/errors.ts'
import { Digest, Identifier, Instant, listInput, Name, pageOf, VersionRef } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

export const ModelSpec = z.strictObject({
  description: z.string().max(4000).default(''),
  owner: z.string().min(1).max(200),
  /** Risk tier: 1 is the gravest. Gates and approvals depend on it. */
  tier: z.int().min(1).max(4),
  task: z.enum(['binary-classification', 'multiclass-classification', 'regression', 'ranking', 'other']),
  /** What a prediction means, for people: "probability that the flight arrives more than 15 minutes late". */
  prediction: z.string().max(500).default(''),
  tags: z.record(Name, z.string().max(200)).default({}),
})
export type ModelSpec = z.infer<typeof ModelSpec>

/** A tensor in the terms of the Open Inference Protocol; -1 is a free dimension. */
const Tensor = z.strictObject({
  name: z.string().min(1).max(200),
  datatype: z.enum(datatypes),
  shape: z.array(z.int().min(-1)).max(8),
})

export const Signature = z.strictObject({
  inputs: z.array(Tensor).min(1).max(100),
  outputs: z.array(Tensor).min(1).max(100),
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

export const Baseline = z.object({ name: z.string().max(200), metrics: Metrics })
export const Slice = z.object({ slice: z.string().max(200), rows: z.int().min(0), metrics: Metrics })

const VersionContent = {
  /** Digest of the ONNX graph in the object store. */
  artifact: Digest,
  signature: Signature,
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
  trainingSet: Digest.nullable().default(null),
  /** `dataset@version`. */
  datasets: z.array(VersionRef).max(100).default([]),
  featureService: Name.nullable().default(null),
  code: Digest.nullable().default(null),
  note: z.string().max(4000).default(''),
}

export const Version = z.object({
  ref: z.string(),
  model: Name,
  version: z.int(),
  ...VersionContent,
  output: z.string(),
  /** Digest of everything above: the version's identity. */
  digest: Digest,
  /** Whoever registered it, or on whose behalf. */
  author: z.uuid(),
  aliases: z.array(z.string()),
  registeredAt: Instant,
})
export type Version = z.infer<typeof Version>

const Model = z.object({
  model: Name,
  spec: ModelSpec,
  latestVersion: z.int().nullable(),
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
  input: z.object({ model: Name, spec: ModelSpec }),
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
  input: z.object({ model: Name }),
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
    order: z.enum(['name', 'changed']).default('name'),
  }),
  output: pageOf(Model),
})

export const registerVersion = operation({
  name: 'register-version',
  method: 'POST',
  path: '/api/v1/models/:model/versions',
  summary: 'Register an immutable version: an ONNX graph with its signature, metrics, profile and lineage',
  effect: 'write',
  permission: { verb: 'version:create', on: ['model'] },
  lineage: { inputs: ['run', 'training-set', 'dataset-version', 'object'], outputs: ['version'] },
  errors: ['model_not_found', 'artifact_not_found', 'onnx_invalid', 'signature_mismatch', 'features_mismatch'],
  bodyLimit: 8 * 1024 * 1024,
  input: z.object({ model: Name, ...VersionContent }),
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
  input: z.object({ model: Name, ...listInput }),
  output: pageOf(Version),
})

/** Where the caller saw the alias, null for nowhere; one that has been moved meanwhile stays where it is. */
const AliasedBefore = z.int().min(1).nullable().optional()

export const setAlias = operation({
  name: 'set-alias',
  method: 'PUT',
  path: '/api/v1/models/:model/aliases/:alias',
  summary: 'Point an alias at a version',
  effect: 'write',
  permission: { verb: 'model:alias', on: ['model'] },
  errors: ['version_not_found', 'alias_reserved', 'alias_moved'],
  input: z.object({ model: Name, alias: Name, version: z.int().min(1), from: AliasedBefore }),
  output: z.object({ model: Name, alias: Name, version: z.int() }),
})

export const deleteAlias = operation({
  name: 'delete-alias',
  method: 'DELETE',
  path: '/api/v1/models/:model/aliases/:alias',
  summary: 'Take an alias away',
  effect: 'write',
  permission: { verb: 'model:alias', on: ['model'] },
  errors: ['version_not_found', 'alias_moved'],
  input: z.object({ model: Name, alias: Name, from: AliasedBefore }),
  output: z.object({ removed: z.boolean() }),
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
  alias_moved: {
    status: 412,
    summary: 'Somebody moved the alias meanwhile.',
    hint: 'Look at where it points now, and move it again if that is still what you want.',
  },
  alias_reserved: {
    status: 422,
    summary: 'The alias looks like a version number.',
    hint: 'Choose a word such as champion.',
  },
})
