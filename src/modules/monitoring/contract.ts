import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Duration, durationMs, Identifier, Instant, listInput, Name, pageOf } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

const hourMs = 3_600_000
const Hours = Duration.refine(
  (text) => !/^\d{1,6}(ms|s|m|h|d)$/.test(text) || (durationMs(text) > 0 && durationMs(text) % hourMs === 0),
  'live statistics are kept by the hour: write whole hours or days, as 6h or 7d',
)

/** Evaluations in a row that must breach before a finding is raised; one more must be clear before it is resolved. */
const consecutive = z.int().min(1).max(30).default(1)

export const MonitorSpec = z.strictObject({
  description: z.string().max(4000).default(''),
  endpoint: Name,
  /** Event time that each evaluation looks back on. Features of the calendar need whole weeks, or to be excluded. */
  window: Hours.default('7d'),
  /** Event time between evaluations. */
  every: Hours.default('1d'),
  /** Below these an evaluation says nothing. */
  minimum: z
    .strictObject({ predictions: z.int().min(1).default(500), labels: z.int().min(1).default(300) })
    .default({ predictions: 500, labels: 300 }),
  /** Of inputs against the training profile of the version that serves. */
  drift: z
    .strictObject({
      /** All features of the profile unless named. */
      features: z.array(Identifier).max(2000).optional(),
      exclude: z.array(Identifier).max(2000).default([]),
      /** Population stability index; what chance alone reaches once in a thousand windows of this size is never a breach. */
      threshold: z.number().positive().default(0.2),
      consecutive,
    })
    .optional(),
  predictionDrift: z.strictObject({ threshold: z.number().positive().default(0.25), consecutive }).optional(),
  performance: z
    .strictObject({
      metric: z.literal('auc').default('auc'),
      minimum: z.number().min(0).max(1).optional(),
      /** Below the metric that the version was registered with. */
      maximumDrop: z.number().min(0).max(1).optional(),
      consecutive,
    })
    .optional(),
  /** Expected calibration error. */
  calibration: z.strictObject({ maximum: z.number().min(0).max(1), consecutive }).optional(),
  /** What a new finding starts. Text of params may hold `${watermark}` or `${watermark-60d}`: dates in event time. */
  retrain: z
    .strictObject({
      pipeline: Name,
      params: z.record(z.string().max(63), z.union([z.string().max(10_000), z.number(), z.boolean()])).default({}),
      /** Event time since the last retraining. */
      cooldown: Duration.default('14d'),
    })
    .optional(),
})
export type MonitorSpec = z.infer<typeof MonitorSpec>

const onMonitor = { environment: Name, monitor: Name }

const Monitor = z.object({
  ...onMonitor,
  spec: MonitorSpec,
  updatedAt: Instant,
  /** Event time up to which it has looked, or from which it looks: a new monitor leaves the past alone. */
  evaluatedAt: Instant.nullable(),
})

export const putMonitor = operation({
  name: 'put-monitor',
  method: 'PUT',
  path: '/api/v1/environments/:environment/monitors/:monitor',
  summary: 'Declare what is watched of an endpoint, and what a finding starts',
  effect: 'write',
  permission: { verb: 'monitor:put', on: ['environment', 'monitor'] },
  manifest: { kind: 'Monitor', read: 'get-monitor', after: ['Endpoint', 'Pipeline'] },
  errors: ['monitor_invalid'],
  input: z.object({ ...onMonitor, spec: MonitorSpec }),
  output: Monitor,
})

export const getMonitor = operation({
  name: 'get-monitor',
  method: 'GET',
  path: '/api/v1/environments/:environment/monitors/:monitor',
  summary: 'Read a monitor',
  effect: 'read',
  permission: { verb: 'monitor:read', on: ['environment', 'monitor'] },
  errors: ['monitor_not_found'],
  input: z.object(onMonitor),
  output: Monitor,
})

export const listMonitors = operation({
  name: 'list-monitors',
  method: 'GET',
  path: '/api/v1/monitors',
  summary: 'List monitors',
  effect: 'read',
  permission: { verb: 'monitor:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    environment: Name.optional(),
    endpoint: Name.optional(),
    /** Part of `environment/monitor` or of the endpoint, in any case. */
    search: z.string().max(200).optional(),
  }),
  output: pageOf(
    Monitor.extend({
      openFindings: z.int(),
      /** The newest one. */
      evaluation: z.object({ at: Instant, version: z.string(), predictions: z.int(), breached: z.int() }).nullable(),
    }),
  ),
})

export const FindingKind = z.enum(['drift', 'prediction_drift', 'performance', 'calibration'])
export type FindingKind = z.infer<typeof FindingKind>

export const Metric = z.object({
  kind: FindingKind,
  /** Of `drift` only. */
  feature: z.string().nullable(),
  /** Population stability index, AUC or calibration error; null where it could not be computed. */
  value: z.number().nullable(),
  /** What was applied: the declared one or, for drift, what chance reaches at this size if that is more. */
  threshold: z.number().nullable(),
  /** Null when there were too few rows to tell. */
  breached: z.boolean().nullable(),
  /** Rows behind the value. */
  rows: z.int(),
})
export type Metric = z.infer<typeof Metric>

export const Evaluation = z.object({
  ...onMonitor,
  /** End of the window, in event time. */
  at: Instant,
  from: Instant,
  /** What served primary traffic last in the window. */
  version: z.string(),
  predictions: z.int(),
  labelled: z.int(),
  metrics: z.array(Metric).max(2100),
})
export type Evaluation = z.infer<typeof Evaluation>

export const recordEvaluation = operation({
  name: 'record-evaluation',
  method: 'POST',
  path: '/api/v1/environments/:environment/monitors/:monitor/evaluations',
  summary: 'Keep what an evaluation measured and raise or resolve findings; Pave does this by itself',
  effect: 'write',
  permission: { verb: 'evaluation:record', on: ['environment', 'monitor'] },
  errors: ['monitor_not_found'],
  input: Evaluation,
  output: z.object({
    /** True when this window was evaluated before; nothing changed then. */
    repeated: z.boolean(),
    raised: z.array(z.uuid()),
    resolved: z.array(z.uuid()),
  }),
})

export const listEvaluations = operation({
  name: 'list-evaluations',
  method: 'GET',
  path: '/api/v1/environments/:environment/monitors/:monitor/evaluations',
  summary: "List a monitor's evaluations, newest first",
  effect: 'read',
  permission: { verb: 'monitor:read', on: ['environment', 'monitor'] },
  errors: [],
  input: z.object({
    ...onMonitor,
    ...listInput,
    /** Only these of each evaluation's metrics. */
    kind: z.enum(['drift', 'prediction_drift', 'performance', 'calibration']).optional(),
    feature: Identifier.optional(),
    /** Event time: windows that end up to then. */
    to: Instant.optional(),
  }),
  output: pageOf(Evaluation),
})

export const Severity = z.enum(['low', 'medium', 'high'])
export type Severity = z.infer<typeof Severity>

export const Finding = z.object({
  finding: z.uuid(),
  ...onMonitor,
  endpoint: Name,
  kind: FindingKind,
  feature: z.string().nullable(),
  /** Served when it was last seen. */
  version: z.string(),
  /** As last seen. */
  value: z.number(),
  threshold: z.number(),
  severity: Severity,
  state: z.enum(['open', 'resolved']),
  /** Event time: end of the first window of the breach, of the window that raised it, and of the last one seen. */
  since: Instant,
  raisedAt: Instant,
  lastSeenAt: Instant,
  resolvedAt: Instant.nullable(),
  /** Retraining that it started. */
  run: z.uuid().nullable(),
})
export type Finding = z.infer<typeof Finding>

export const raiseFinding = operation({
  name: 'raise-finding',
  method: 'POST',
  path: '/api/v1/findings',
  summary: 'Raise a finding, or see an open one of the same kind again; evaluations do this by themselves',
  effect: 'write',
  permission: { verb: 'finding:raise', on: ['environment', 'monitor'] },
  errors: ['monitor_not_found'],
  input: Finding.pick({ kind: true, feature: true, version: true, value: true, threshold: true, since: true }).extend({
    ...onMonitor,
    /** End of the window that shows it. */
    at: Instant,
  }),
  output: Finding,
})

export const resolveFinding = operation({
  name: 'resolve-finding',
  method: 'POST',
  path: '/api/v1/findings/:finding/resolve',
  summary: 'Close a finding; evaluations do this when the value has been clear for long enough',
  effect: 'write',
  permission: { verb: 'monitor:resolve', on: [] },
  errors: ['finding_not_found'],
  input: z.object({
    finding: z.uuid(),
    /** Event time; when it was last seen by default. */
    at: Instant.optional(),
    reason: z.string().max(2000).default(''),
  }),
  output: Finding,
})

export const listFindings = operation({
  name: 'list-findings',
  method: 'GET',
  path: '/api/v1/findings',
  summary: 'List findings, newest first',
  effect: 'read',
  permission: { verb: 'monitor:read', on: [] },
  errors: [],
  input: z.object({
    ...listInput,
    environment: Name.optional(),
    monitor: Name.optional(),
    endpoint: Name.optional(),
    state: z.enum(['open', 'resolved']).optional(),
    kind: FindingKind.optional(),
    feature: Identifier.optional(),
  }),
  output: pageOf(Finding),
})

export const getFinding = operation({
  name: 'get-finding',
  method: 'GET',
  path: '/api/v1/findings/:finding',
  summary: 'Read a finding',
  effect: 'read',
  permission: { verb: 'monitor:read', on: [] },
  errors: ['finding_not_found'],
  input: z.object({ finding: z.uuid() }),
  output: Finding,
})

export const startRetraining = operation({
  name: 'start-retraining',
  method: 'POST',
  path: '/api/v1/findings/:finding/retraining',
  summary:
    'Run the pipeline that the monitor declares, unless it ran within the cooldown; new findings do this by themselves',
  effect: 'write',
  permission: { verb: 'monitor:retrain', on: [] },
  lineage: { inputs: ['finding'], outputs: ['run'] },
  errors: ['finding_not_found'],
  input: z.object({ finding: z.uuid() }),
  output: z.object({
    run: z.uuid().nullable(),
    /** Why no run was started. */
    skipped: z.enum(['not_declared', 'cooldown']).nullable(),
  }),
})

export const errors = defineErrors({
  monitor_not_found: {
    status: 404,
    summary: 'The environment has no monitor of this name.',
    hint: 'Declare it in a manifest of kind Monitor; list what exists with `pave list-monitors`.',
  },
  monitor_invalid: {
    status: 422,
    summary: 'The monitor declares something that cannot be watched or started.',
    hint: 'Watch drift, predictionDrift, performance or calibration; params may refer to watermark and watermark-60d.',
  },
  finding_not_found: {
    status: 404,
    summary: 'No finding has this id.',
    hint: 'List findings with `pave list-findings`.',
  },
})
