import { z } from 'zod'
import { aggregationFunctions } from '#algorithms/windowed-aggregation/declaration.ts'
import { Bound } from '#modules/datasets/contract.ts'
import { defineErrors } from '#platform/errors.ts'
import { Digest, Duration, Identifier, Instant, listInput, Name, pageOf, VersionRef } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

const JoinKey = z.strictObject({ name: Identifier, type: z.enum(['string', 'int', 'bool']) })

/** A thing that features describe, and the values that identify one. */
export const EntitySpec = z.strictObject({
  description: z.string().max(4000).default(''),
  joinKeys: z.array(JoinKey).min(1).max(10),
})
export type EntitySpec = z.infer<typeof EntitySpec>

const Aggregation = z.strictObject({
  name: Identifier,
  function: z.enum(aggregationFunctions),
  /** A number or bool of the dataset, which `count` does without. */
  column: Identifier.optional(),
  window: Duration,
  /** How far the window moves at a time: 5m below 12 hours, 1h below 12 days, else 1d, unless given. */
  hop: Duration.optional(),
  unit: z.string().max(100).optional(),
  description: z.string().max(1000).optional(),
})

/** Trailing aggregations of a dataset's events for each entity. */
export const FeatureViewSpec = z.strictObject({
  description: z.string().max(4000).default(''),
  entity: Name,
  dataset: Name,
  /** Column of the dataset for each join key of the entity. */
  keys: z.record(Identifier, Identifier),
  /** Column that says when an event became available: no feature knows it earlier. */
  timestamp: Identifier,
  aggregations: z.array(Aggregation).min(1).max(200),
})
export type FeatureViewSpec = z.infer<typeof FeatureViewSpec>

/** What a request carries, as expressions and the inference plane know it. */
export const RequestField = z.strictObject({
  name: Identifier,
  type: z.enum(['int', 'double', 'bool', 'string', 'timestamp']),
})
export type RequestField = z.infer<typeof RequestField>

const OnDemand = z.strictObject({
  name: Identifier,
  /** CEL over the request fields; the feature may have the name of one of them, to pass it on. */
  expression: z.string().min(1).max(4000),
  type: z.enum(['int', 'double']),
})

/** The features of a model, in the order of its input: the same definition trains and serves. */
export const FeatureServiceSpec = z.strictObject({
  description: z.string().max(4000).default(''),
  request: z.array(RequestField).min(1).max(500),
  /** Request field with the time that features are asked at. */
  timestampField: Identifier,
  features: z
    .array(
      z.strictObject({
        view: Name,
        /** Request field for each join key of the view. */
        keys: z.record(Identifier, Identifier),
        /** Feature name to aggregation of the view. */
        features: z.record(Identifier, Identifier),
      }),
    )
    .max(100)
    .default([]),
  onDemand: z.array(OnDemand).max(500).default([]),
  /** All feature names in the order wanted; by default each view's by name, then the on-demand ones as declared. */
  order: z.array(Identifier).max(2000).optional(),
})
export type FeatureServiceSpec = z.infer<typeof FeatureServiceSpec>

/** A trailing aggregation as both planes compute it; `window` and `hop` in milliseconds. */
export interface ServedAggregation {
  name: string
  function: (typeof aggregationFunctions)[number]
  column?: string | undefined
  window: number
  hop: number
}

/** A view as a request reads it; `definition` and all `aggregations` give the place and the layout of its state. */
export interface ServedView {
  view: string
  definition: string
  /** Request fields that make the entity key, in the order of the view's join keys. */
  entityFields: string[]
  aggregations: ServedAggregation[]
  /** Which aggregations are read, and under which feature name. */
  features: { name: string; aggregation: string }[]
}

/** A feature service as a serving plan takes it. */
export interface CompiledService {
  request: RequestField[]
  timestampField: string
  views: ServedView[]
  onDemand: { name: string; expression: string; type: 'int' | 'double' }[]
  /** All feature names in the service's order. */
  features: string[]
}

const Entity = z.object({ entity: Name, spec: EntitySpec, createdAt: Instant })
const FeatureView = z.object({
  view: Name,
  spec: FeatureViewSpec,
  /** Rises when the definition changes, not when descriptions do. */
  version: z.int().min(1),
  /** Of what decides the values, derived columns of the dataset included. */
  definition: Digest,
  createdAt: Instant,
})
const FeatureService = z.object({
  featureService: Name,
  spec: FeatureServiceSpec,
  /** All feature names in order. */
  features: z.array(z.string()),
  createdAt: Instant,
})

export type Entity = z.infer<typeof Entity>
export type FeatureView = z.infer<typeof FeatureView>
export type FeatureService = z.infer<typeof FeatureService>

export const putEntity = operation({
  name: 'put-entity',
  method: 'PUT',
  path: '/api/v1/entities/:entity',
  summary: 'Declare an entity: the keys that identify what features describe',
  effect: 'write',
  permission: { verb: 'feature:put', on: ['entity'] },
  manifest: { kind: 'Entity', read: 'get-entity' },
  errors: ['definition_invalid'],
  input: z.object({ entity: Name, spec: EntitySpec }),
  output: Entity,
})

export const getEntity = operation({
  name: 'get-entity',
  method: 'GET',
  path: '/api/v1/entities/:entity',
  summary: 'Read an entity',
  effect: 'read',
  permission: { verb: 'feature:read', on: ['entity'] },
  errors: ['entity_not_found'],
  input: z.object({ entity: Name }),
  output: Entity,
})

export const listEntities = operation({
  name: 'list-entities',
  method: 'GET',
  path: '/api/v1/entities',
  summary: 'List entities',
  effect: 'read',
  permission: { verb: 'feature:read', on: [] },
  errors: [],
  input: z.object(listInput),
  output: pageOf(Entity),
})

export const putFeatureView = operation({
  name: 'put-feature-view',
  method: 'PUT',
  path: '/api/v1/feature-views/:view',
  summary: "Declare a feature view: trailing aggregations of a dataset's events for each entity",
  effect: 'write',
  permission: { verb: 'feature:put', on: ['view'] },
  manifest: { kind: 'FeatureView', read: 'get-feature-view', after: ['Dataset', 'Entity'] },
  errors: ['entity_not_found', 'dataset_not_found', 'definition_invalid', 'expression_invalid', 'contract_invalid'],
  input: z.object({ view: Name, spec: FeatureViewSpec }),
  output: FeatureView,
})

export const getFeatureView = operation({
  name: 'get-feature-view',
  method: 'GET',
  path: '/api/v1/feature-views/:view',
  summary: 'Read a feature view',
  effect: 'read',
  permission: { verb: 'feature:read', on: ['view'] },
  errors: ['feature_view_not_found'],
  input: z.object({ view: Name }),
  output: FeatureView,
})

export const listFeatureViews = operation({
  name: 'list-feature-views',
  method: 'GET',
  path: '/api/v1/feature-views',
  summary: 'List feature views',
  effect: 'read',
  permission: { verb: 'feature:read', on: [] },
  errors: [],
  input: z.object(listInput),
  output: pageOf(FeatureView),
})

export const putFeatureService = operation({
  name: 'put-feature-service',
  method: 'PUT',
  path: '/api/v1/feature-services/:featureService',
  summary: 'Declare a feature service: the features of a model, read from views and computed on demand',
  effect: 'write',
  permission: { verb: 'feature:put', on: ['featureService'] },
  manifest: { kind: 'FeatureService', read: 'get-feature-service', after: ['FeatureView'] },
  errors: ['feature_view_not_found', 'definition_invalid', 'expression_invalid'],
  input: z.object({ featureService: Name, spec: FeatureServiceSpec }),
  output: FeatureService,
})

export const getFeatureService = operation({
  name: 'get-feature-service',
  method: 'GET',
  path: '/api/v1/feature-services/:featureService',
  summary: 'Read a feature service',
  effect: 'read',
  permission: { verb: 'feature:read', on: ['featureService'] },
  errors: ['feature_service_not_found'],
  input: z.object({ featureService: Name }),
  output: FeatureService,
})

export const listFeatureServices = operation({
  name: 'list-feature-services',
  method: 'GET',
  path: '/api/v1/feature-services',
  summary: 'List feature services',
  effect: 'read',
  permission: { verb: 'feature:read', on: [] },
  errors: [],
  input: z.object(listInput),
  output: pageOf(FeatureService),
})

/** What the job `build-training-set` takes, from a pipeline step too. */
export const TrainingSetInput = z.object({
  featureService: Name,
  /** `dataset@version`: its rows are the questions, asked at their time, and the history that answers them. */
  dataset: VersionRef,
  /** A bool, int or double column of the dataset; rows without it are left out. */
  label: Identifier,
  /** Half-open range of the dataset's time column. */
  from: Bound.optional(),
  to: Bound.optional(),
  /** Only rows whose own outcome was available before this time. */
  knownBefore: Bound.optional(),
  /** That many rows, chosen by a hash: the same ones every time. */
  sample: z.object({ rows: z.int().min(1).max(1_000_000_000), seed: z.int().default(0) }).optional(),
  format: z.enum(['csv', 'parquet']).default('parquet'),
})
export type TrainingSetInput = z.infer<typeof TrainingSetInput>

export const buildTrainingSet = operation({
  name: 'build-training-set',
  method: 'POST',
  path: '/api/v1/feature-services/:featureService/training-sets',
  summary: 'Join features to labels as they were known at the time of each row',
  effect: 'write',
  permission: { verb: 'feature:train', on: ['featureService'] },
  errors: [
    'feature_service_not_found',
    'dataset_version_not_found',
    'label_invalid',
    'request_field_missing',
    'view_on_other_dataset',
    'column_name_taken',
    'dataset_version_outdated',
  ],
  input: TrainingSetInput,
  output: z.object({ job: z.uuid() }),
  job: true,
})

/** The columns of the object are the features in order, `label`, `event_timestamp`, then the request fields. */
export const TrainingSet = z.object({
  featureService: Name,
  dataset: VersionRef,
  object: Digest,
  digest: Digest,
  /** Bytes. */
  size: z.int(),
  rows: z.int(),
  /** Rows whose label is 1; null unless the label is a bool. */
  positives: z.int().nullable(),
  features: z.array(z.string()),
  label: z.string(),
  format: z.enum(['csv', 'parquet']),
})
export type TrainingSet = z.infer<typeof TrainingSet>

export const registerTrainingSet = operation({
  name: 'register-training-set',
  method: 'POST',
  path: '/api/v1/feature-services/:featureService/training-set-records',
  summary: 'Enter a training set and what it was made from; building one does this by itself',
  effect: 'write',
  permission: { verb: 'feature:train', on: ['featureService'] },
  lineage: { inputs: ['dataset-version', 'feature-view', 'feature-service'], outputs: ['training-set'] },
  errors: [],
  input: TrainingSet.extend({ views: z.array(Name).max(100) }),
  output: TrainingSet,
})

export const pushEvents = operation({
  name: 'push-events',
  method: 'POST',
  path: '/api/v1/datasets/:dataset/events',
  summary: "Add events to the online features of every view on a dataset; a batch counts once however often it's sent",
  effect: 'ingest',
  durability: 'durable',
  permission: { verb: 'feature:push', on: ['dataset'] },
  errors: [
    'dataset_not_found',
    'column_missing',
    'column_unknown',
    'columns_uneven',
    'value_invalid',
    'event_in_future',
    'batch_reused',
    'online_states_busy',
  ],
  bodyLimit: 16 * 1024 * 1024,
  input: z.object({
    dataset: Name,
    batch: z.string().min(1).max(200).describe('Chosen by the sender: the same id is the same events'),
    columns: z.unknown().meta({
      description:
        'Columns of the dataset, each an array with one value for every event. Derived ones may be left out.',
      type: 'object',
      additionalProperties: { type: 'array' },
    }),
  }),
  output: z.object({
    accepted: z.int(),
    /** How often an accepted event was too old for a view's windows, summed over the views. */
    tooLate: z.int(),
    /** Events left out, by the rule of the dataset that they broke. */
    quarantined: z.record(z.string(), z.int()),
    /** The batch had been applied before, and this is the answer of that time. */
    repeated: z.boolean(),
  }),
})

/** What the job `materialize-views` takes, from a pipeline step too. */
export const MaterializeInput = z.object({ dataset: VersionRef, views: z.array(Name).min(1).max(100).optional() })

export const materializeViews = operation({
  name: 'materialize-views',
  method: 'POST',
  path: '/api/v1/materializations',
  summary: 'Replace the online features of the views on a dataset by those of a dataset version',
  effect: 'write',
  permission: { verb: 'feature:materialize', on: [] },
  errors: ['dataset_version_not_found', 'feature_view_not_found', 'view_on_other_dataset', 'dataset_version_outdated'],
  input: MaterializeInput,
  output: z.object({ job: z.uuid() }),
  job: true,
})

export type MaterializeInput = z.infer<typeof MaterializeInput>

export const registerMaterialization = operation({
  name: 'register-materialization',
  method: 'POST',
  path: '/api/v1/materialization-records',
  summary: 'Enter which dataset version the online features were filled from; materializing does this by itself',
  effect: 'write',
  permission: { verb: 'feature:materialize', on: [] },
  lineage: { inputs: ['dataset-version'], outputs: ['feature-view'] },
  errors: [],
  input: z.object({
    dataset: VersionRef,
    views: z.array(z.object({ view: z.string().max(200), entities: z.int(), events: z.int() })).max(1000),
  }),
  output: z.object({ registered: z.boolean() }),
})

export const getOnlineFeatures = operation({
  name: 'get-online-features',
  method: 'POST',
  path: '/api/v1/feature-services/:featureService/online-features',
  summary: 'Read features as the inference plane would, for a look at what it sees',
  effect: 'read',
  permission: { verb: 'feature:read', on: ['featureService'] },
  errors: ['feature_service_not_found', 'request_invalid'],
  input: z.object({
    featureService: Name,
    /** The request fields of each row. */
    rows: z
      .array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])))
      .min(1)
      .max(1000),
  }),
  output: z.object({ features: z.array(z.string()), rows: z.array(z.array(z.number().nullable())) }),
})

export const lookUpEntity = operation({
  name: 'look-up-entity',
  method: 'POST',
  path: '/api/v1/feature-views/:view/look-up',
  summary: 'Read what the online store knows of one entity: its features at a time, and how fresh they are',
  effect: 'read',
  permission: { verb: 'feature:read', on: ['view'] },
  errors: ['feature_view_not_found', 'request_invalid'],
  input: z.object({
    view: Name,
    entity: z
      .record(Identifier, z.union([z.string().max(1000), z.number(), z.boolean()]))
      .describe('A value for each join key of the entity'),
    at: Instant.optional().describe('The time to look back from; now by default'),
  }),
  output: z.object({
    view: Name,
    at: Instant,
    /** Start of the newest tile that holds an event of the entity; null when none was ever seen. */
    newestEvent: Instant.nullable(),
    features: z.array(z.object({ name: z.string(), value: z.number().nullable() })),
  }),
})

export const errors = defineErrors({
  entity_not_found: {
    status: 404,
    summary: 'No entity has this name.',
    hint: 'Declare it in a manifest of kind Entity and `pave apply` it; list what exists with `pave list-entities`.',
  },
  feature_view_not_found: {
    status: 404,
    summary: 'No feature view has this name.',
    hint: 'Declare it in a manifest of kind FeatureView; list what exists with `pave list-feature-views`.',
  },
  feature_service_not_found: {
    status: 404,
    summary: 'No feature service has this name.',
    hint: 'Declare it in a manifest of kind FeatureService; list what exists with `pave list-feature-services`.',
  },
  definition_invalid: {
    status: 422,
    summary: 'The parts of an entity, feature view or feature service do not fit together.',
    hint: 'Mend what the message names.',
  },
  label_invalid: {
    status: 422,
    summary: 'The label is not a number or bool column of the dataset.',
    hint: 'Name a bool, int or double column; a derived column of the dataset can make one.',
  },
  request_field_missing: {
    status: 422,
    summary: 'The dataset has no column for a request field of the feature service.',
    hint: 'Training takes each request field from the column of the same name and type; add a derived column.',
  },
  view_on_other_dataset: {
    status: 422,
    summary: 'A feature view reads another dataset than the one given.',
    hint: 'Give a version of the dataset that the views are declared on.',
  },
  dataset_version_outdated: {
    status: 409,
    summary: 'The dataset version was ingested under another formula of a derived column than the views follow now.',
    hint: 'Ingest the dataset again and use the new version.',
  },
  column_name_taken: {
    status: 422,
    summary: 'A feature has the name of a column that training sets have anyway.',
    hint: 'Give the feature another name than label or event_timestamp.',
  },
  column_unknown: {
    status: 422,
    summary: 'The events have a column that the dataset does not declare.',
    hint: 'Send columns of the dataset only; `pave get-dataset` shows them.',
  },
  columns_uneven: {
    status: 422,
    summary: 'The columns of the events are not arrays of one length.',
    hint: 'Send one value, or null, for every event in every column.',
  },
  value_invalid: {
    status: 422,
    summary: 'A value is not of the type that its column declares.',
    hint: 'Send numbers as JSON numbers and times as RFC 3339 text, such as 2001-03-01T12:00:00Z.',
  },
  event_in_future: {
    status: 422,
    summary: 'An event lies more than a day in the future.',
    hint: 'Mend the clock or the time zone of the sender: one such event would push honest ones out of their windows.',
  },
  batch_reused: {
    status: 409,
    summary: 'The batch id was used before for other events.',
    hint: 'Give each batch an id of its own, and send the same events when you retry one.',
  },
  online_states_busy: {
    status: 503,
    summary: 'The online states of the dataset are being replaced, which takes longer than a request may wait.',
    hint: 'Send the batch again after a moment, under the same id.',
  },
  request_invalid: {
    status: 422,
    summary: 'A row lacks a request field, or has it with another type.',
    hint: 'Send the request fields of the feature service; `pave get-feature-service` shows them.',
  },
})
