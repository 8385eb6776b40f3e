import { z } from 'zod'
import { ExperimentId } from '#modules/tracking/contract.ts'
import { defineErrors } from '#platform/errors.ts'
import { Digest, Instant, listInput, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** What one request and one span may hold. */
export const mostSpans = 20_000
export const mostPerSpan = 1000
export const largestSpans = 64 * 1024 * 1024
const largestAttributes = 16 * 1024 * 1024

/** `tr-` and the 32 hexadecimal digits of OpenTelemetry's trace id. It is never a path. */
export const TraceId = z.string().regex(/^tr-[0-9a-f]{32}$/, 'a trace id is tr- and 32 hexadecimal digits')
export const SpanId = z.string().regex(/^[0-9a-f]{16}$/, 'a span id has 16 hexadecimal digits')
export const AssessmentId = z.string().regex(/^a-[0-9a-f]{32}$/, 'an assessment id is a- and 32 hexadecimal digits')
export const EvaluationDatasetId = z.string().regex(/^d-[0-9a-f]{32}$/, 'a dataset id is d- and 32 hexadecimal digits')
const EvaluationRecordId = z.string().regex(/^dr-[0-9a-f]{32}$/, 'a record id is dr- and 32 hexadecimal digits')

const Key = z.string().min(1).max(250)
export const Tags = z
  .record(Key, z.string().max(8000))
  .refine((tags) => Object.keys(tags).length <= 1000, 'at most 1000 tags')
const Removed = z.array(z.string().max(250)).max(1000).default([])
const Millis = z.int().min(0).max(8_640_000_000_000_000)
const Nanos = z.string().regex(/^\d{1,20}$/, 'a time is nanoseconds since 1970 in decimal')
const JsonObject = z.string().max(largestAttributes).describe('A JSON object as text: numbers keep their digits')

export const SpanStatus = z.enum(['unset', 'ok', 'error'])
export type SpanStatus = z.infer<typeof SpanStatus>

const SpanEvent = z.object({ name: z.string().max(1000), time: Nanos, attributes: JsonObject.default('{}') })
const SpanLink = z.object({
  trace: z.string().regex(/^[0-9a-f]{32}$/),
  span: SpanId,
  attributes: JsonObject.default('{}'),
})

export const Span = z.object({
  span: SpanId,
  parent: SpanId.nullable().default(null),
  name: z.string().max(1000),
  /** As OpenTelemetry numbers it: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: z.int().min(0).max(5).default(0),
  start: Nanos,
  /** Null as long as it runs. */
  end: Nanos.nullable().default(null),
  status: SpanStatus.default('unset'),
  message: z.string().max(10_000).default(''),
  attributes: JsonObject.default('{}'),
  events: z.array(SpanEvent).max(mostPerSpan).default([]),
  links: z.array(SpanLink).max(mostPerSpan).default([]),
})
export type Span = z.infer<typeof Span>

const TraceState = z.enum(['unspecified', 'in_progress', 'ok', 'error'])
export type TraceState = z.infer<typeof TraceState>

const AssessmentSource = z.object({
  type: z.enum(['human', 'llm_judge', 'code', 'unspecified']),
  id: z.string().max(250),
})

const AssessmentError = z.object({
  code: z.string().max(250),
  message: z.string().max(10_000).default(''),
  stack: z.string().max(100_000).default(''),
})

const AssessmentValue = z.json().refine((value) => JSON.stringify(value).length <= 1_000_000, 'at most 1 MB')

/** What somebody or something says about a trace or a span. */
const AssessmentContent = z.object({
  name: Key,
  kind: z.enum(['feedback', 'expectation', 'issue']),
  value: AssessmentValue.default(null),
  error: AssessmentError.nullable().default(null),
  source: AssessmentSource,
  rationale: z.string().max(100_000).nullable().default(null),
  metadata: Tags.default({}),
  span: SpanId.nullable().default(null),
  overrides: AssessmentId.nullable().default(null).describe('The assessment that this one takes the place of'),
})

export const Assessment = AssessmentContent.extend({
  assessment: AssessmentId,
  trace: TraceId,
  valid: z.boolean().describe('False when another one took its place'),
  createdAt: Instant,
  updatedAt: Instant,
})
export type Assessment = z.infer<typeof Assessment>

const TokenUsage = z.object({ input: z.number(), output: z.number(), total: z.number() })
export type TokenUsage = z.infer<typeof TokenUsage>

export const Trace = z.object({
  trace: TraceId,
  experiment: ExperimentId,
  name: z.string().nullable(),
  state: TraceState,
  /** Milliseconds since 1970. */
  startedAt: z.int(),
  durationMs: z.int().nullable(),
  clientRequest: z.string().nullable(),
  requestPreview: z.string().nullable(),
  responsePreview: z.string().nullable(),
  tags: Tags,
  metadata: Tags,
  tokens: TokenUsage.nullable(),
  /** US dollars. */
  cost: z.number().nullable(),
  spans: z.int().describe('Spans that were logged; one that was logged twice may count twice'),
  assessments: z.array(Assessment),
})
export type Trace = z.infer<typeof Trace>

export const logSpans = operation({
  name: 'log-spans',
  method: 'POST',
  path: '/api/v1/experiments/:experiment/spans',
  summary: 'Log spans of any number of traces; spans that were logged before are logged once',
  effect: 'ingest',
  durability: 'durable',
  permission: { verb: 'trace:log', on: ['experiment'] },
  errors: ['experiment_not_found', 'experiment_deleted', 'span_invalid'],
  bodyLimit: largestSpans,
  input: z.object({
    experiment: ExperimentId,
    spans: z.array(Span.extend({ trace: TraceId })).max(mostSpans),
    resources: z
      .array(z.object({ attributes: JsonObject, from: z.int(), to: z.int() }))
      .max(mostSpans)
      .default([])
      .describe('What made the spans from one position up to another; it is kept as tags of their traces'),
  }),
  output: z.object({ traces: z.int(), spans: z.int().describe('Spans that were not there before') }),
})

export const recordTrace = operation({
  name: 'record-trace',
  method: 'PUT',
  path: '/api/v1/experiments/:experiment/traces/:trace',
  summary: 'Say what a trace as a whole is: when, how it ended, its tags and metadata',
  effect: 'ingest',
  durability: 'durable',
  permission: { verb: 'trace:log', on: ['experiment'] },
  errors: ['experiment_not_found', 'experiment_deleted', 'trace_elsewhere', 'assessment_not_found'],
  bodyLimit: 16 * 1024 * 1024,
  input: z.object({
    experiment: ExperimentId,
    trace: TraceId,
    startedAt: Millis,
    durationMs: Millis.nullable().default(null),
    state: TraceState.default('unspecified'),
    clientRequest: z.string().max(1000).nullable().default(null),
    requestPreview: z.string().max(10_000).nullable().default(null),
    responsePreview: z.string().max(10_000).nullable().default(null),
    tags: Tags.default({}),
    metadata: Tags.default({}),
    assessments: z.array(AssessmentContent).max(1000).default([]),
  }),
  output: Trace,
})

export const getTrace = operation({
  name: 'get-trace',
  method: 'GET',
  path: '/api/v1/traces/:trace',
  summary: 'Read what a trace as a whole is, with its assessments',
  effect: 'read',
  permission: { verb: 'trace:read', on: [] },
  errors: ['trace_not_found'],
  input: z.object({ trace: TraceId }),
  output: Trace,
})

const Texts = z.array(z.string())

export const listSpans = operation({
  name: 'list-spans',
  method: 'GET',
  path: '/api/v1/traces/:trace/spans',
  summary: 'List all spans of a trace by their start, in columns and without their content',
  effect: 'read',
  permission: { verb: 'trace:read', on: [] },
  errors: ['trace_not_found', 'trace_too_large'],
  input: z.object({ trace: TraceId }),
  output: z.object({
    /** Of the earliest span. */
    start: Nanos,
    span: Texts,
    parent: z.array(z.string().nullable()),
    name: Texts,
    type: Texts,
    status: Texts,
    /** Nanoseconds since the start. */
    offset: z.array(z.number()),
    /** Nanoseconds; null as long as the span runs. */
    duration: z.array(z.number().nullable()),
    /** Tokens that the span itself reports. */
    tokens: z.array(z.number().nullable()),
  }),
})

export const getSpan = operation({
  name: 'get-span',
  method: 'GET',
  path: '/api/v1/traces/:trace/spans/:span',
  summary: 'Read one span of a trace: attributes, events, links',
  effect: 'read',
  permission: { verb: 'trace:read', on: [] },
  errors: ['trace_not_found', 'span_not_found'],
  input: z.object({ trace: TraceId, span: SpanId }),
  output: Span,
})

export const readTraces = operation({
  name: 'read-traces',
  method: 'POST',
  path: '/api/v1/traces/read',
  summary: 'Read traces with all of their spans; ids that name none are left out',
  effect: 'read',
  permission: { verb: 'trace:read', on: [] },
  errors: ['trace_too_large'],
  input: z.object({
    traces: z.array(TraceId).max(500),
    experiments: z.array(ExperimentId).max(1000).optional().describe('Only what belongs to one of them'),
    spans: z.boolean().default(true),
  }),
  output: z.object({ traces: z.array(Trace.extend({ content: z.array(Span) })) }),
})

export const searchTraces = operation({
  name: 'search-traces',
  method: 'POST',
  path: '/api/v1/traces/search',
  summary:
    'Search traces by their attributes, tags, metadata, spans and assessments; newest first unless ordered otherwise',
  effect: 'read',
  permission: { verb: 'trace:read', on: [] },
  errors: ['trace_search_invalid'],
  input: z.object({
    experiments: z.array(ExperimentId).max(1000).optional(),
    run: z.uuid().optional(),
    filter: z
      .string()
      .max(50_000)
      .default('')
      .describe("As MLflow writes it: trace.status = 'ERROR' and span.name LIKE 'retrieve%'"),
    orderBy: z.array(z.string().max(1000)).max(10).default([]).describe('Like execution_time DESC'),
    count: z.boolean().default(false).describe('Count all traces that are found, on whatever page'),
    limit: z.int().min(1).max(500).default(100),
    cursor: z.string().max(20_000).optional(),
  }),
  output: pageOf(Trace).extend({
    total: z.int().nullable().describe('Null unless it was asked for, and where spans must be read to tell'),
  }),
})

export const updateTrace = operation({
  name: 'update-trace',
  method: 'PATCH',
  path: '/api/v1/traces/:trace',
  summary: 'Change the tags of a trace',
  effect: 'write',
  permission: { verb: 'trace:update', on: [] },
  errors: ['trace_not_found', 'trace_tag_not_found'],
  input: z.object({
    trace: TraceId,
    tags: Tags.default({}).describe('Added to the tags that it has'),
    removeTags: Removed,
  }),
  output: z.object({ trace: TraceId, tags: Tags }),
})

export const deleteTraces = operation({
  name: 'delete-traces',
  method: 'POST',
  path: '/api/v1/experiments/:experiment/traces/delete',
  summary: 'Delete traces of an experiment for good: those that are named, or the oldest up to a time',
  effect: 'write',
  permission: { verb: 'trace:delete', on: ['experiment'] },
  errors: ['trace_deletion_unclear'],
  input: z.object({
    experiment: ExperimentId,
    traces: z.array(TraceId).max(1000).default([]),
    until: Millis.optional().describe('Milliseconds since 1970'),
    limit: z.int().min(1).max(10_000).default(10_000),
  }),
  output: z.object({ deleted: z.int() }),
})

export const linkTraces = operation({
  name: 'link-traces',
  method: 'POST',
  path: '/api/v1/tracking-runs/:run/traces',
  summary: 'Say that traces belong to a tracked run',
  effect: 'write',
  permission: { verb: 'trace:log', on: [] },
  lineage: { inputs: ['run'] },
  errors: ['tracking_run_not_found', 'trace_not_found'],
  input: z.object({ run: z.uuid(), traces: z.array(TraceId).max(100) }),
  output: z.object({ run: z.uuid(), linked: z.int().describe('Traces that were not linked before') }),
})

/** A file that spans refer to, such as an image; its id is the client's. */
const Attachment = z.object({ trace: TraceId, attachment: z.uuid(), digest: Digest, size: z.int().min(0) })

export const recordTraceAttachment = operation({
  name: 'record-trace-attachment',
  method: 'PUT',
  path: '/api/v1/traces/:trace/attachments/:attachment',
  summary: 'Give a trace an uploaded object that its spans refer to',
  effect: 'write',
  permission: { verb: 'trace:log', on: [] },
  errors: ['trace_not_found', 'trace_object_unknown'],
  input: Attachment,
  output: Attachment,
})

export const getTraceAttachment = operation({
  name: 'get-trace-attachment',
  method: 'GET',
  path: '/api/v1/traces/:trace/attachments/:attachment',
  summary: 'Find the object behind an attachment of a trace',
  effect: 'read',
  permission: { verb: 'trace:read', on: [] },
  errors: ['trace_attachment_not_found'],
  input: Attachment.pick({ trace: true, attachment: true }),
  output: Attachment,
})

export const createAssessment = operation({
  name: 'create-assessment',
  method: 'POST',
  path: '/api/v1/traces/:trace/assessments',
  summary: 'Say what a trace or span is worth, or what was expected of it',
  effect: 'write',
  permission: { verb: 'assessment:create', on: [] },
  errors: ['trace_not_found', 'assessment_not_found'],
  bodyLimit: 4 * 1024 * 1024,
  input: AssessmentContent.extend({ trace: TraceId, createdAt: Instant.optional() }),
  output: Assessment,
})

export const getAssessment = operation({
  name: 'get-assessment',
  method: 'GET',
  path: '/api/v1/traces/:trace/assessments/:assessment',
  summary: 'Read an assessment',
  effect: 'read',
  permission: { verb: 'trace:read', on: [] },
  errors: ['assessment_not_found'],
  input: z.object({ trace: TraceId, assessment: AssessmentId }),
  output: Assessment,
})

export const updateAssessment = operation({
  name: 'update-assessment',
  method: 'PATCH',
  path: '/api/v1/traces/:trace/assessments/:assessment',
  summary: 'Change the value, rationale or name of an assessment; metadata is added to what it has',
  effect: 'write',
  permission: { verb: 'assessment:update', on: [] },
  errors: ['assessment_not_found', 'assessment_kind_differs'],
  bodyLimit: 4 * 1024 * 1024,
  input: z.object({
    trace: TraceId,
    assessment: AssessmentId,
    name: Key.optional(),
    kind: AssessmentContent.shape.kind.optional().describe('Refused when the assessment is of another kind'),
    value: AssessmentValue.optional(),
    error: AssessmentError.nullable().optional(),
    rationale: z.string().max(100_000).optional(),
    metadata: Tags.default({}),
  }),
  output: Assessment,
})

export const deleteAssessment = operation({
  name: 'delete-assessment',
  method: 'DELETE',
  path: '/api/v1/traces/:trace/assessments/:assessment',
  summary: 'Delete an assessment; what it took the place of is valid again',
  effect: 'write',
  permission: { verb: 'assessment:delete', on: [] },
  errors: ['trace_not_found'],
  input: z.object({ trace: TraceId, assessment: AssessmentId }),
  output: z.object({ deleted: z.boolean() }),
})

const FieldTypes = z.record(z.string(), z.string())
export const DatasetSchema = z.object({
  inputs: FieldTypes,
  outputs: z.union([FieldTypes, z.string()]).describe('One type when what is expected is no object'),
  expectations: FieldTypes,
})
export type DatasetSchema = z.infer<typeof DatasetSchema>

export const EvaluationDataset = z.object({
  dataset: EvaluationDatasetId,
  name: z.string(),
  tags: Tags,
  digest: z.string(),
  experiments: z.array(ExperimentId),
  records: z.int(),
  /** Of each part of the records, the fields and the types of their first values. */
  schema: DatasetSchema.nullable(),
  createdAt: Instant,
  updatedAt: Instant,
  createdBy: z.uuid(),
  updatedBy: z.uuid(),
})
export type EvaluationDataset = z.infer<typeof EvaluationDataset>

export const DatasetName = z.string().min(1).max(500)
export const Experiments = z.array(ExperimentId).max(1000)

export const createEvaluationDataset = operation({
  name: 'create-evaluation-dataset',
  method: 'POST',
  path: '/api/v1/evaluation-datasets',
  summary: 'Make a dataset of cases that applications are evaluated on',
  effect: 'write',
  permission: { verb: 'evaluation-dataset:create', on: [] },
  errors: ['experiment_not_found'],
  input: z.object({ name: DatasetName, tags: Tags.default({}), experiments: Experiments.default([]) }),
  output: EvaluationDataset,
})

export const getEvaluationDataset = operation({
  name: 'get-evaluation-dataset',
  method: 'GET',
  path: '/api/v1/evaluation-datasets/:dataset',
  summary: 'Read an evaluation dataset without its records',
  effect: 'read',
  permission: { verb: 'evaluation-dataset:read', on: [] },
  errors: ['evaluation_dataset_not_found'],
  input: z.object({ dataset: EvaluationDatasetId }),
  output: EvaluationDataset,
})

export const searchEvaluationDatasets = operation({
  name: 'search-evaluation-datasets',
  method: 'POST',
  path: '/api/v1/evaluation-datasets/search',
  summary: 'Search evaluation datasets by name, times and tags; newest first unless ordered otherwise',
  effect: 'read',
  permission: { verb: 'evaluation-dataset:read', on: [] },
  errors: ['trace_search_invalid'],
  input: z.object({
    experiments: Experiments.optional(),
    filter: z.string().max(50_000).default(''),
    orderBy: z.array(z.string().max(1000)).max(10).default([]),
    limit: z.int().min(1).max(1000).default(100),
    cursor: z.string().max(4000).optional(),
  }),
  output: pageOf(EvaluationDataset),
})

export const updateEvaluationDataset = operation({
  name: 'update-evaluation-dataset',
  method: 'PATCH',
  path: '/api/v1/evaluation-datasets/:dataset',
  summary: 'Change the tags of an evaluation dataset, or the experiments that it belongs to',
  effect: 'write',
  permission: { verb: 'evaluation-dataset:update', on: [] },
  errors: ['evaluation_dataset_not_found', 'experiment_not_found'],
  input: z.object({
    dataset: EvaluationDatasetId,
    tags: Tags.default({}).describe('Added to the tags that it has'),
    removeTags: Removed,
    addExperiments: Experiments.default([]),
    removeExperiments: Experiments.default([]),
  }),
  output: EvaluationDataset,
})

export const deleteEvaluationDataset = operation({
  name: 'delete-evaluation-dataset',
  method: 'DELETE',
  path: '/api/v1/evaluation-datasets/:dataset',
  summary: 'Delete an evaluation dataset and its records for good',
  effect: 'write',
  permission: { verb: 'evaluation-dataset:delete', on: [] },
  errors: ['evaluation_dataset_not_found'],
  input: z.object({ dataset: EvaluationDatasetId }),
  output: z.object({ deleted: z.boolean() }),
})

const Fields = z
  .record(z.string().max(1000), z.json())
  .refine((fields) => JSON.stringify(fields).length <= 4_000_000, 'at most 4 MB')

const RecordContent = z.object({
  inputs: Fields,
  outputs: z.json().default(null),
  expectations: Fields.default({}),
  tags: Tags.default({}),
  source: z.json().default(null).describe('Where the case came from, as its client describes it'),
})

export const EvaluationRecord = RecordContent.extend({
  record: EvaluationRecordId,
  createdAt: Instant,
  updatedAt: Instant,
  createdBy: z.uuid(),
  updatedBy: z.uuid(),
})
export type EvaluationRecord = z.infer<typeof EvaluationRecord>

export const putEvaluationRecords = operation({
  name: 'put-evaluation-records',
  method: 'PUT',
  path: '/api/v1/evaluation-datasets/:dataset/records',
  summary: 'Add records to an evaluation dataset; one with the same inputs is merged into the one that is there',
  effect: 'write',
  permission: { verb: 'evaluation-dataset:update', on: [] },
  errors: ['evaluation_dataset_not_found'],
  bodyLimit: 32 * 1024 * 1024,
  input: z.object({ dataset: EvaluationDatasetId, records: z.array(RecordContent).max(10_000) }),
  output: z.object({ inserted: z.int(), updated: z.int() }),
})

export const listEvaluationRecords = operation({
  name: 'list-evaluation-records',
  method: 'GET',
  path: '/api/v1/evaluation-datasets/:dataset/records',
  summary: 'List the records of an evaluation dataset in the order they came',
  effect: 'read',
  permission: { verb: 'evaluation-dataset:read', on: [] },
  errors: ['evaluation_dataset_not_found'],
  input: z.object({ dataset: EvaluationDatasetId, ...listInput, limit: z.int().min(1).max(1000).default(100) }),
  output: pageOf(EvaluationRecord),
})

export const deleteEvaluationRecords = operation({
  name: 'delete-evaluation-records',
  method: 'POST',
  path: '/api/v1/evaluation-datasets/:dataset/records/delete',
  summary: 'Delete records of an evaluation dataset',
  effect: 'write',
  permission: { verb: 'evaluation-dataset:update', on: [] },
  errors: ['evaluation_dataset_not_found'],
  input: z.object({ dataset: EvaluationDatasetId, records: z.array(EvaluationRecordId).max(10_000) }),
  output: z.object({ deleted: z.int() }),
})

export const Scorer = z.object({
  scorer: z.uuid(),
  experiment: ExperimentId,
  name: z.string(),
  version: z.int(),
  /** As its client wrote it; Pave does not run it. */
  serialized: z.string(),
  createdAt: Instant,
})
export type Scorer = z.infer<typeof Scorer>

export const registerScorer = operation({
  name: 'register-scorer',
  method: 'POST',
  path: '/api/v1/experiments/:experiment/scorers',
  summary: 'Keep a scorer of an experiment as the next version under its name',
  effect: 'write',
  permission: { verb: 'scorer:create', on: ['experiment'] },
  errors: ['experiment_not_found', 'experiment_deleted'],
  bodyLimit: 4 * 1024 * 1024,
  input: z.object({
    experiment: ExperimentId,
    name: z.string().min(1).max(250),
    serialized: z.string().max(1_000_000),
  }),
  output: Scorer,
})

export const listScorers = operation({
  name: 'list-scorers',
  method: 'GET',
  path: '/api/v1/experiments/:experiment/scorers',
  summary: 'List the newest version of each scorer of an experiment, or all versions of one',
  effect: 'read',
  permission: { verb: 'scorer:read', on: ['experiment'] },
  errors: ['scorer_not_found'],
  input: z.object({ experiment: ExperimentId, name: z.string().max(250).optional() }),
  output: z.object({ items: z.array(Scorer) }),
})

export const getScorer = operation({
  name: 'get-scorer',
  method: 'GET',
  path: '/api/v1/experiments/:experiment/scorers/:name',
  summary: 'Read one version of a scorer, the newest unless another is named',
  effect: 'read',
  permission: { verb: 'scorer:read', on: ['experiment'] },
  errors: ['scorer_not_found'],
  input: z.object({ experiment: ExperimentId, name: z.string().max(250), version: z.int().min(1).optional() }),
  output: Scorer,
})

export const deleteScorer = operation({
  name: 'delete-scorer',
  method: 'DELETE',
  path: '/api/v1/experiments/:experiment/scorers/:name',
  summary: 'Delete one version of a scorer, or all of them',
  effect: 'write',
  permission: { verb: 'scorer:delete', on: ['experiment'] },
  errors: ['scorer_not_found'],
  input: z.object({ experiment: ExperimentId, name: z.string().max(250), version: z.int().min(1).optional() }),
  output: z.object({ deleted: z.int() }),
})

export const errors = defineErrors({
  trace_not_found: {
    status: 404,
    summary: 'No trace has this id.',
    hint: 'Find traces with `pave search-traces`.',
  },
  trace_elsewhere: {
    status: 409,
    summary: 'The trace belongs to another experiment.',
    hint: 'Send it to the experiment that its spans were logged to.',
  },
  trace_too_large: {
    status: 413,
    summary: 'The spans that were asked for are more than one answer holds.',
    hint: 'Read fewer traces at once, or single spans with `pave get-span`.',
  },
  trace_tag_not_found: {
    status: 404,
    summary: 'The trace has no such tag.',
    hint: 'See its tags with `pave get-trace`.',
  },
  trace_object_unknown: { status: 422, summary: 'The workspace has no such object.', hint: 'Upload its bytes first.' },
  trace_attachment_not_found: {
    status: 404,
    summary: 'The trace has no such attachment.',
    hint: 'Spans name the attachments that they have, as mlflow-attachment://….',
  },
  trace_deletion_unclear: {
    status: 422,
    summary: 'It is not said which traces to delete, or said twice.',
    hint: 'Name the traces, or give the time until which they are deleted.',
  },
  trace_search_invalid: {
    status: 422,
    summary: 'The filter or the order of a search cannot be read.',
    hint: 'Write it as MLflow does; the message says where it went wrong.',
  },
  span_invalid: {
    status: 422,
    summary: 'A span cannot be read.',
    hint: 'Attributes are JSON objects; ids are hexadecimal and not all zero.',
  },
  span_not_found: {
    status: 404,
    summary: 'The trace has no such span.',
    hint: 'List its spans with `pave list-spans`.',
  },
  assessment_not_found: {
    status: 404,
    summary: 'The trace has no such assessment.',
    hint: 'Read the trace with `pave get-trace`: its assessments come with it.',
  },
  assessment_kind_differs: {
    status: 422,
    summary: 'An assessment stays feedback or an expectation.',
    hint: 'Make another assessment.',
  },
  evaluation_dataset_not_found: {
    status: 404,
    summary: 'No evaluation dataset has this id.',
    hint: 'Find datasets with `pave search-evaluation-datasets`.',
  },
  scorer_version_taken: {
    status: 409,
    summary: 'The scorer has another content under this number.',
    hint: 'A version of a scorer never changes: register yours as the next one.',
  },
  scorer_not_found: {
    status: 404,
    summary: 'The experiment has no such scorer.',
    hint: 'List its scorers with `pave list-scorers`.',
  },
})
