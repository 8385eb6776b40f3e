import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { ContentRef, Digest, Identifier, Instant, listInput, Name, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** Times are instants in UTC; a Parquet timestamp without a zone is read as UTC. */
export const ColumnType = z.enum(['int', 'double', 'string', 'bool', 'timestamp'])
export type ColumnType = z.infer<typeof ColumnType>

const Column = z.strictObject({
  type: ColumnType,
  /** Nulls in other columns break the rule `not-null:<column>`. */
  nullable: z.boolean().default(false),
  unit: z.string().max(100).optional(),
  description: z.string().max(1000).optional(),
})

/** What happens to a row that breaks a rule: set aside, or kept and counted, or nothing is ingested at all. */
const Action = z.enum(['quarantine', 'warn', 'fail'])

const Rule = z.strictObject({
  name: Name.refine((name) => name !== 'unique', 'unique is the name of the rule about duplicates'),
  /** CEL over the columns, derived ones included; a row keeps the rule when it is true, not when it has no answer. */
  check: z.string().min(1).max(4000),
  action: Action.default('quarantine'),
  description: z.string().max(1000).optional(),
})

const Derived = z.strictObject({
  type: ColumnType,
  /** CEL over the columns of the source. */
  expression: z.string().min(1).max(4000),
  unit: z.string().max(100).optional(),
  description: z.string().max(1000).optional(),
})

export const DatasetSpec = z.strictObject({
  description: z.string().max(4000).default(''),
  owner: z.string().max(200).optional(),
  /** A Parquet file. */
  source: ContentRef,
  /** Column by which ranges are cut; of type timestamp. */
  timeColumn: Identifier,
  columns: z.record(Identifier, Column),
  rules: z.array(Rule).max(200).default([]),
  /** Of rows that agree in these columns (in all columns by default), the first in the file stays. */
  unique: z
    .strictObject({
      columns: z.array(Identifier).min(1).max(100).optional(),
      action: Action.default('quarantine'),
    })
    .optional(),
  derived: z.record(Identifier, Derived).default({}),
})
export type DatasetSpec = z.infer<typeof DatasetSpec>

const Counts = z.record(z.string(), z.int().min(0))

const ColumnPicture = z.object({
  /**
   * Rows by bin, of a number or (in milliseconds) a timestamp: bin `i` is `[edges[i-1], edges[i])`, the outermost are
   * open. Null without values to tell apart, as of versions that were made before pictures were.
   */
  histogram: z
    .object({ edges: z.array(z.number()).max(100), counts: z.array(z.int().min(0)).max(101) })
    .nullable()
    .default(null),
  /** The most frequent values of a string or bool. */
  top: z
    .array(z.object({ value: z.string().max(200), rows: z.int().min(1) }))
    .max(100)
    .nullable()
    .default(null),
})
export type ColumnPicture = z.output<typeof ColumnPicture>

/** What is in one column of a version. The numbers are null for strings, bools and timestamps. */
const ColumnProfile = z.object({
  name: z.string(),
  type: ColumnType,
  nulls: z.int(),
  /** Approximate. */
  distinct: z.int(),
  mean: z.number().nullable(),
  std: z.number().nullable(),
  min: z.union([z.number(), z.string()]).nullable(),
  max: z.union([z.number(), z.string()]).nullable(),
  /** The quartiles of a number. */
  quartiles: z.array(z.number()).nullable(),
  ...ColumnPicture.shape,
})
export type ColumnProfile = z.infer<typeof ColumnProfile>

const VersionContent = {
  /** Half-open range on the time column; null is no bound. */
  from: Instant.nullable(),
  to: Instant.nullable(),
  rows: z.int().min(0),
  /** Rows set aside, by the first rule that they broke. */
  quarantined: Counts,
  /** Rows kept although they break a rule whose action is `warn`. */
  warned: Counts,
  /** Parquet with the kept rows in the order of their time: the columns of the source, then the derived ones. */
  digest: Digest,
  /** Parquet with the rows set aside and the rule that each one broke, `broken_rule`. */
  quarantineDigest: Digest,
  sourceDigest: Digest,
  /** Of the columns, rules, uniqueness and derived columns in force. */
  contractDigest: Digest,
  /** Least and greatest value of the time column; null without rows. */
  firstTime: Instant.nullable(),
  lastTime: Instant.nullable(),
  timeColumn: Identifier,
  columns: z.array(z.object({ name: Identifier, type: ColumnType })),
  /** The expression of each derived column. */
  derived: z.record(Identifier, z.string()),
  profile: z.array(ColumnProfile),
}

/** Immutable: the same source, contract and range are the same version. */
export const DatasetVersion = z.object({
  /** `dataset@version`. */
  ref: z.string(),
  dataset: Name,
  version: z.int().min(1),
  ...VersionContent,
  registeredAt: Instant,
})
export type DatasetVersion = z.infer<typeof DatasetVersion>

const Dataset = z.object({
  dataset: Name,
  spec: DatasetSpec,
  contractDigest: Digest,
  latestVersion: z.int().nullable(),
  createdAt: Instant,
})
export type Dataset = z.infer<typeof Dataset>

/** With what its newest version says of its state. */
const DatasetSummary = Dataset.extend({
  latest: z
    .object({ rows: z.int(), quarantined: Counts, warned: Counts, lastTime: Instant.nullable(), registeredAt: Instant })
    .nullable(),
})
export type DatasetSummary = z.infer<typeof DatasetSummary>

/** `latest` or a number. */
const VersionNumber = z.string().regex(/^(latest|[1-9]\d{0,8})$/, 'write a version number or latest')

export const putDataset = operation({
  name: 'put-dataset',
  method: 'PUT',
  path: '/api/v1/datasets/:dataset',
  summary: 'Declare a dataset: its source and its contract of columns, rules and derived columns',
  effect: 'write',
  permission: { verb: 'dataset:put', on: ['dataset'] },
  manifest: { kind: 'Dataset', read: 'get-dataset' },
  errors: [
    'source_not_found',
    'parquet_invalid',
    'column_missing',
    'column_type_mismatch',
    'contract_invalid',
    'expression_invalid',
  ],
  input: z.object({ dataset: Name, spec: DatasetSpec }),
  output: Dataset,
})

export const getDataset = operation({
  name: 'get-dataset',
  method: 'GET',
  path: '/api/v1/datasets/:dataset',
  summary: 'Read a dataset',
  effect: 'read',
  permission: { verb: 'dataset:read', on: ['dataset'] },
  errors: ['dataset_not_found'],
  input: z.object({ dataset: Name }),
  output: Dataset,
})

export const listDatasets = operation({
  name: 'list-datasets',
  method: 'GET',
  path: '/api/v1/datasets',
  summary: 'List datasets',
  effect: 'read',
  permission: { verb: 'dataset:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    search: z.string().max(200).optional().describe('A piece of the name, the owner or the description'),
  }),
  output: pageOf(DatasetSummary),
})

/** Where a range begins or ends: an instant, or a date for the start of that day in UTC. */
export const Bound = z.union([Instant, z.iso.date().transform((date) => `${date}T00:00:00.000Z`)])

/** What the job `ingest-dataset` takes, from a pipeline step too. */
export const IngestInput = z.object({ dataset: Name, from: Bound.optional(), to: Bound.optional() })

export const ingestDataset = operation({
  name: 'ingest-dataset',
  method: 'POST',
  path: '/api/v1/datasets/:dataset/ingestions',
  summary: 'Read a range of the source, check it against the contract, and register what passed as a version',
  effect: 'write',
  permission: { verb: 'dataset:ingest', on: ['dataset'] },
  errors: ['dataset_not_found', 'range_invalid', 'rule_failed'],
  input: IngestInput,
  output: z.object({ job: z.uuid() }),
  job: true,
})

export const registerDatasetVersion = operation({
  name: 'register-dataset-version',
  method: 'POST',
  path: '/api/v1/datasets/:dataset/versions',
  summary: 'Register checked rows as an immutable version; ingesting does this by itself',
  effect: 'write',
  permission: { verb: 'dataset:register', on: ['dataset'] },
  lineage: { inputs: ['object'], outputs: ['dataset-version'] },
  errors: ['dataset_not_found', 'source_not_found'],
  input: z.object({ dataset: Name, ...VersionContent }),
  output: DatasetVersion,
})

export const getDatasetVersion = operation({
  name: 'get-dataset-version',
  method: 'GET',
  path: '/api/v1/datasets/:dataset/versions/:version',
  summary: 'Read a version of a dataset, by number or latest',
  effect: 'read',
  permission: { verb: 'dataset:read', on: ['dataset'] },
  errors: ['dataset_version_not_found'],
  input: z.object({ dataset: Name, version: VersionNumber }),
  output: DatasetVersion,
})

export const listDatasetVersions = operation({
  name: 'list-dataset-versions',
  method: 'GET',
  path: '/api/v1/datasets/:dataset/versions',
  summary: "List a dataset's versions, newest first",
  effect: 'read',
  permission: { verb: 'dataset:read', on: ['dataset'] },
  errors: ['dataset_not_found'],
  input: z.object({ dataset: Name, ...listInput }),
  output: pageOf(DatasetVersion),
})

export const listQuarantine = operation({
  name: 'list-quarantine',
  method: 'GET',
  path: '/api/v1/datasets/:dataset/versions/:version/quarantine',
  summary: 'List the rows that a version set aside, each with the rule that it broke',
  effect: 'read',
  permission: { verb: 'dataset:read', on: ['dataset'] },
  errors: ['dataset_version_not_found'],
  input: z.object({ dataset: Name, version: VersionNumber, rule: z.string().max(200).optional(), ...listInput }),
  output: pageOf(z.object({ rule: z.string(), row: z.record(z.string(), z.unknown()) })),
})

export const errors = defineErrors({
  dataset_not_found: {
    status: 404,
    summary: 'No dataset has this name.',
    hint: 'Declare it in a manifest of kind Dataset and `pave apply` it; list what exists with `pave list-datasets`.',
  },
  dataset_version_not_found: {
    status: 404,
    summary: 'The dataset has no such version.',
    hint: 'List versions with `pave list-dataset-versions --dataset NAME`, or make one with `pave ingest-dataset`.',
  },
  source_not_found: {
    status: 422,
    summary: 'The object store does not have the bytes.',
    hint: 'Upload them first: POST /api/v1/objects answers their digest; `pave apply` uploads what a manifest names by file.',
  },
  column_missing: {
    status: 422,
    summary: 'A column that is needed is not there.',
    hint: 'Declare the column under the name that the file has, or write the file with it.',
  },
  column_type_mismatch: {
    status: 422,
    summary: 'A column has another type than is declared or needed.',
    hint: 'Declare the type that the message names, or convert the column in the source.',
  },
  contract_invalid: {
    status: 422,
    summary: 'The parts of a dataset contract do not fit together.',
    hint: 'Mend what the message names.',
  },
  expression_invalid: {
    status: 422,
    summary: 'A rule, derived column or on-demand feature is not a valid expression.',
    hint: 'The message and `details.position` say where; `docs/reference/expressions.md` shows the language.',
  },
  range_invalid: {
    status: 422,
    summary: 'The range of time is empty.',
    hint: 'Give a `from` before `to`; the range holds from, and not to.',
  },
  rule_failed: {
    status: 422,
    summary: 'Rows break a rule whose action is `fail`, so nothing was ingested.',
    hint: 'Mend the source, or give the rule the action quarantine or warn.',
  },
})
