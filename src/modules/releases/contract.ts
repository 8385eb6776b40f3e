import { z } from 'zod'
import { defineErrors } from '#platform/errors.ts'
import { Duration, Instant, listInput, ModelName, Name, pageOf, VersionRef } from '#platform/names.ts'
import { operation } from '#platform/operation.ts'

/** A tensor of a model signature in the terms of the Open Inference Protocol; -1 is a free dimension. */
export const SignatureTensor = z.object({
  name: z.string().min(1).max(200),
  datatype: z.string().min(1).max(10),
  shape: z.array(z.int().min(-1)).max(8),
})

export const ServedVersion = z.object({
  /** `model@version`: what routes and prediction records name. */
  ref: z.string(),
  workspace: z.uuid(),
  model: z.string(),
  version: z.int().min(1),
  /** Digest of the ONNX graph, the version's own or its `twin`; a node serves nothing whose bytes do not match. */
  artifact: z.string(),
  twin: z.literal(true).optional(),
  signature: z.object({ inputs: z.array(SignatureTensor), outputs: z.array(SignatureTensor) }),
  /** Feature names in the order of the columns of the model's single input tensor. */
  features: z.array(z.string()),
  /** Name of the output tensor that is the prediction. */
  output: z.string(),
})

/** A trailing aggregation as the windowed-aggregation algorithm takes it; `window` and `hop` in milliseconds. */
const ServedAggregation = z.object({
  name: z.string(),
  function: z.enum(['count', 'sum', 'mean', 'min', 'max']),
  column: z.string().optional(),
  window: z.int().min(1),
  hop: z.int().min(1),
})

export const ServedView = z.object({
  view: z.string(),
  /** Digest of the view's definition: values written under another definition are never read. */
  definition: z.string(),
  /** Request fields that make the entity key, in the order of the view's join keys. */
  entityFields: z.array(z.string()),
  /** All of the view's aggregations in the order of its definition: the layout of the stored state follows from them. */
  aggregations: z.array(ServedAggregation),
  /** Which of them are read, and under which feature name; one view may be read twice under other keys and names. */
  features: z.array(z.object({ name: z.string(), aggregation: z.string() })),
})

const RequestField = z.object({
  name: z.string(),
  type: z.enum(['int', 'double', 'bool', 'string', 'timestamp']),
})

const ServedRoute = z.object({
  variant: z.enum(['primary', 'canary']),
  version: z.string(),
  /** Share of the traffic in basis points; the weights of an endpoint's routes add up to 10,000. */
  weight: z.int().min(0).max(10_000),
})

export const ServedEndpoint = z.object({
  workspace: z.uuid(),
  environment: z.string(),
  /** The model name in Open Inference Protocol paths. */
  endpoint: z.string(),
  /** The release that set these routes; null before the first. */
  release: z.string().nullable(),
  routes: z.array(ServedRoute),
  /** Versions that get a copy of a share of the requests and answer nobody; `sample` in basis points. */
  shadows: z.array(z.object({ version: z.string(), sample: z.int().min(0).max(10_000) })),
  /** Salt of the assignment hash: a targeting key keeps its bucket for as long as the salt stays. */
  salt: z.string(),
  targetingField: z.string().nullable(),
  /** What a request must carry: entity keys and request values. */
  request: z.array(RequestField),
  /** Request field with the event time; null means the time of arrival. */
  timestampField: z.string().nullable(),
  views: z.array(ServedView),
  /** On-demand features: CEL over the request fields and earlier features. */
  onDemand: z.array(z.object({ name: z.string(), expression: z.string(), type: z.enum(['int', 'double']) })),
  fallback: z.object({ value: z.number() }).nullable(),
  limits: z.object({
    timeoutMs: z.int().min(1),
    /** Requests waiting for this endpoint beyond which a node answers 503. */
    queue: z.int().min(1),
    /** Rows in one request. */
    rows: z.int().min(1),
  }),
})

export const ServingKey = z.object({
  id: z.string(),
  workspace: z.uuid(),
  /** Hex sha256 of the token. */
  hash: z.string(),
  /** Endpoints of the environment that it may call; `*` is all of the workspace's. */
  endpoints: z.array(z.string()),
  expiresAt: z.iso.datetime().nullable(),
})

/** Everything a node of one environment needs to answer predictions, immutable and signed. */
export const ServingPlan = z.object({
  format: z.literal(1),
  /** Rises with every change; a node refuses an older one. */
  generation: z.int().min(1),
  issuedAt: z.iso.datetime(),
  /** A plan from before this field has none. */
  workspace: z.uuid().optional(),
  environment: z.string(),
  keys: z.array(ServingKey),
  endpoints: z.array(ServedEndpoint),
  versions: z.array(ServedVersion),
})

/** The plan as it travels: the signed bytes are exactly `payload`. */
export const SignedServingPlan = z.object({
  payload: z.string(),
  /** Base64 of the Ed25519 signature of the payload's UTF-8 bytes. */
  signature: z.string(),
  /** Hex sha256 of the public key's SPKI DER, so that keys can be rotated. */
  keyId: z.string(),
})

export type SignatureTensor = z.infer<typeof SignatureTensor>
export type ServedVersion = z.infer<typeof ServedVersion>
export type ServedView = z.infer<typeof ServedView>
export type ServedEndpoint = z.infer<typeof ServedEndpoint>
export type ServingKey = z.infer<typeof ServingKey>
export type ServingPlan = z.infer<typeof ServingPlan>
export type SignedServingPlan = z.infer<typeof SignedServingPlan>

/** A share as people write it: `5%` or `0.5%`; `basisPoints` are its hundredths. */
const Percent = z.string().regex(/^(100|\d{1,2})(\.\d{1,2})?%$/, 'write a share as 5% or 0.5%')

export const basisPoints = (percent: string): number => Math.round(Number(percent.slice(0, -1)) * 100)

/** What must hold of a candidate while it is judged; a guardrail that is left out is not looked at. */
export const Guardrails = z.strictObject({
  /** Largest share of failed and fallback answers. */
  errorRate: Percent.optional(),
  latencyP99Ms: z.number().min(0.1).optional(),
  /**
   * Model inputs against the version's own training profile: the largest population stability index over its features,
   * beyond that of the version now serving on the same traffic, so that the season cancels out and a mistake does not.
   */
  inputShift: z
    .strictObject({
      excess: z.number().min(0.01).max(10).default(0.15),
      /** Requests of the candidate before it is judged. */
      minimum: z.int().min(50).max(1_000_000).default(300),
      exclude: z.array(z.string()).max(200).default([]),
    })
    .optional(),
})
export type Guardrails = z.infer<typeof Guardrails>

export const Strategy = z.strictObject({
  /** The candidate gets copies and answers nobody. */
  shadow: z
    .strictObject({ sample: Percent.default('100%'), requests: z.int().min(1).max(10_000_000) })
    .nullable()
    .default(null),
  /** Each step holds until the candidate answered so many requests and every guardrail holds. */
  steps: z
    .array(z.strictObject({ weight: Percent, requests: z.int().min(1).max(10_000_000) }))
    .max(20)
    .default([]),
  guardrails: Guardrails.default({}),
})
export type Strategy = z.infer<typeof Strategy>

export const EndpointSpec = z.strictObject({
  description: z.string().max(4000).default(''),
  model: ModelName,
  /** Where the features come from; null when requests carry the model's own tensors. */
  featureService: Name.nullable().default(null),
  /** Request field that keeps a caller on one variant; null spreads by request id. */
  targetingField: z.string().max(63).nullable().default(null),
  strategy: Strategy.default({ shadow: null, steps: [], guardrails: {} }),
  /** Answered, and marked as such, when the model fails or is late; null answers an error. */
  fallback: z.strictObject({ value: z.number() }).nullable().default(null),
  limits: z
    .strictObject({
      timeoutMs: z.int().min(1).max(60_000).default(1_000),
      queue: z.int().min(1).max(100_000).default(1_000),
      rows: z.int().min(1).max(10_000).default(256),
    })
    .default({ timeoutMs: 1_000, queue: 1_000, rows: 256 }),
})
export type EndpointSpec = z.infer<typeof EndpointSpec>

export const Verdict = z.object({
  guardrail: z.string(),
  verdict: z.enum(['pass', 'fail', 'no-data']),
  value: z.number().nullable(),
  limit: z.number(),
  /** Which feature, for guardrails over features. */
  feature: z.string().nullable(),
  /** Rows of the candidate that it was judged on. */
  rows: z.int(),
})
export type Verdict = z.infer<typeof Verdict>

const ReleaseState = z.enum(['shadow', 'canary', 'completed', 'rolled-back'])

const ReleaseNote = z.string().max(500).default('')

export const Release = z.object({
  id: z.uuid(),
  environment: Name,
  endpoint: Name,
  version: z.string(),
  /** What served before; null for the first. */
  previous: z.string().nullable(),
  state: ReleaseState,
  /** Position in the strategy's steps; null in shadow and after the end. */
  step: z.int().nullable(),
  /** Share of the candidate in basis points. */
  weight: z.int(),
  /** As the endpoint declared it when the release began. */
  strategy: Strategy,
  startedBy: z.uuid(),
  /** A person's, a service account's or Pave's. */
  startedByName: z.string().nullable(),
  startedAt: Instant,
  endedAt: Instant.nullable(),
  /** What it is for, in the words of whoever started it. */
  note: z.string(),
  /** Why it was rolled back. */
  reason: z.string().nullable(),
  verdicts: z.array(Verdict),
  history: z.array(
    z.object({ at: Instant, state: ReleaseState, weight: z.int(), rows: z.int(), verdicts: z.array(Verdict) }),
  ),
})
export type Release = z.infer<typeof Release>

export const NodeStatus = z.object({
  node: z.string(),
  environment: Name,
  generation: z.int(),
  failed: z.array(z.object({ version: z.string(), reason: z.string() })),
  /** Local overrides in force: they win over the serving plan. */
  overrides: z.array(z.object({ endpoint: z.string(), version: z.string(), reason: z.string() })),
  appliedAt: Instant,
  /** A node reports when it starts and when something changed. */
  reportedAt: Instant,
})
export type NodeStatus = z.infer<typeof NodeStatus>

export const Endpoint = z.object({
  environment: Name,
  endpoint: Name,
  spec: EndpointSpec,
  /** The version that serves now. */
  version: z.string().nullable(),
  release: Release.nullable(),
  traffic: z.array(z.object({ version: z.string(), variant: z.string(), weight: z.int() })),
  generation: z.int().nullable(),
  nodes: z.array(NodeStatus),
})
export type Endpoint = z.infer<typeof Endpoint>

const named = { environment: Name, endpoint: Name }

/** Part of `environment/endpoint`, of the model or of what serves, in any case. */
const search = z.string().max(200).optional()

export const putEndpoint = operation({
  name: 'put-endpoint',
  method: 'PUT',
  path: '/api/v1/environments/:environment/endpoints/:endpoint',
  summary: 'Declare an endpoint: its model, features, release strategy and guardrails',
  effect: 'write',
  permission: { verb: 'endpoint:put', on: ['environment', 'endpoint'] },
  manifest: { kind: 'Endpoint', read: 'get-endpoint', after: ['Model', 'FeatureService', 'GatePolicy'] },
  errors: ['strategy_invalid'],
  input: z.object({ ...named, spec: EndpointSpec }),
  output: Endpoint,
})

export const getEndpoint = operation({
  name: 'get-endpoint',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint',
  summary: 'Read an endpoint: traffic split, running release, nodes',
  effect: 'read',
  permission: { verb: 'endpoint:read', on: ['environment', 'endpoint'] },
  errors: ['endpoint_not_found'],
  input: z.object(named),
  output: Endpoint,
})

export const listEndpoints = operation({
  name: 'list-endpoints',
  method: 'GET',
  path: '/api/v1/endpoints',
  summary: 'List endpoints of every environment',
  effect: 'read',
  permission: { verb: 'endpoint:read', on: [] },
  errors: [],
  input: z.object({ ...listInput, search }),
  output: pageOf(Endpoint),
})

export const EndpointHealth = z.object({
  environment: Name,
  endpoint: Name,
  model: z.string(),
  version: z.string().nullable(),
  traffic: Endpoint.shape.traffic,
  /** The release under way. */
  release: Release.pick({ id: true, version: true, state: true, weight: true, startedAt: true }).nullable(),
  nodes: z.object({
    total: z.int(),
    /** With the newest serving plan. */
    current: z.int(),
    /** That could not load a version. */
    failing: z.int(),
    /** On which a local override holds this endpoint. */
    overridden: z.int(),
    /** Serving plans that the slowest node has still to take. */
    lag: z.int(),
  }),
  openFindings: z.int(),
  /** What the endpoint's guardrails allow; null where they say nothing. */
  limits: z.object({ errorRate: z.number().nullable(), latencyP99Ms: z.number().nullable() }),
  /** The last day of event time, up to the newest record; null before the first. */
  recent: z
    .object({
      watermark: Instant,
      /** From its first moment to the watermark. */
      spanMs: z.int(),
      rows: z.int(),
      errors: z.int(),
      fallbacks: z.int(),
      latencyMs: z.object({ p50: z.number().nullable(), p99: z.number().nullable() }),
      /** Answered rows in each of its 24 hours, oldest first. */
      hours: z.array(z.int()),
    })
    .nullable(),
})
export type EndpointHealth = z.infer<typeof EndpointHealth>

export const listEndpointHealth = operation({
  name: 'list-endpoint-health',
  method: 'GET',
  path: '/api/v1/endpoint-health',
  summary: 'List endpoints with what an engineer on call asks first: who answers, how often, how fast, what is wrong',
  effect: 'read',
  permission: { verb: 'endpoint:read', on: [] },
  errors: [],
  input: z.object({ ...listInput, search }),
  output: pageOf(EndpointHealth),
})

export const listServedVersions = operation({
  name: 'list-served-versions',
  method: 'POST',
  path: '/api/v1/served-versions/search',
  summary: 'Say which versions of some models answer requests, on which endpoints, and with what share of the traffic',
  effect: 'read',
  permission: { verb: 'endpoint:read', on: [] },
  errors: [],
  input: z.object({ models: z.array(ModelName).max(200) }),
  output: z.object({
    items: z.array(
      z.object({
        model: ModelName,
        version: z.string(),
        environment: Name,
        endpoint: Name,
        variant: z.enum(['primary', 'canary', 'shadow']),
        /** Basis points. */
        weight: z.int(),
        release: z.uuid().nullable(),
      }),
    ),
  }),
})

export const startRelease = operation({
  name: 'start-release',
  method: 'POST',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/releases',
  summary: 'Release a model version to an endpoint',
  effect: 'write',
  permission: { verb: 'release:start', on: ['environment', 'endpoint'] },
  admission: 'release.start',
  lineage: { inputs: ['version'], outputs: ['release'] },
  errors: [
    'endpoint_not_found',
    'version_not_found',
    'release_in_progress',
    'version_already_serving',
    'version_unfit',
    'version_without_graph',
  ],
  input: z.object({ ...named, version: VersionRef, note: ReleaseNote }),
  output: Release,
})

export const getRelease = operation({
  name: 'get-release',
  method: 'GET',
  path: '/api/v1/releases/:release',
  summary: 'Read a release: state, weights, the verdict of each guardrail at each step',
  effect: 'read',
  permission: { verb: 'release:read', on: [] },
  errors: ['release_not_found'],
  input: z.object({ release: z.uuid() }),
  output: Release,
})

const Interval = z.object({ low: z.number(), high: z.number() }).nullable()

export const assessRelease = operation({
  name: 'assess-release',
  method: 'GET',
  path: '/api/v1/releases/:release/assessment',
  summary:
    'Judge a running release by what is known now: the verdict of each guardrail, rows seen and needed, what comes next',
  effect: 'read',
  permission: { verb: 'release:read', on: [] },
  errors: ['release_not_found'],
  input: z.object({ release: z.uuid() }),
  output: z.object({
    release: z.uuid(),
    /** False when it has ended: what it was judged by is in its history. */
    running: z.boolean(),
    /** When the present step began. */
    since: Instant,
    rows: z.object({
      /** Of the candidate since the release began. */
      candidate: z.int(),
      /** Of the candidate in this step, and how many the step asks for. */
      step: z.int(),
      needed: z.int(),
      /** Of the version that is to be replaced, in the same time. */
      current: z.int(),
    }),
    guardrails: z.array(
      Verdict.extend({
        /** 95 % confidence of the candidate's value, where one is known. */
        interval: Interval,
        /** Rows before it is judged. */
        needed: z.int(),
        /** The same of the version that is to be replaced. */
        current: z.number().nullable(),
      }),
    ),
    /** What follows when the step has its rows and every guardrail holds. */
    next: z.object({ state: ReleaseState, weight: z.int() }).nullable(),
    /** Guardrails that must have judged before all traffic is given. */
    unjudged: z.array(z.string()),
  }),
})

export const listReleases = operation({
  name: 'list-releases',
  method: 'GET',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/releases',
  summary: "List an endpoint's releases, newest first",
  effect: 'read',
  permission: { verb: 'release:read', on: ['environment', 'endpoint'] },
  errors: [],
  input: z.object({ ...named, ...listInput }),
  output: pageOf(Release),
})

export const advanceRelease = operation({
  name: 'advance-release',
  method: 'POST',
  path: '/api/v1/releases/:release/advance',
  summary: 'Move a release to its next step; Pave does this when the guardrails hold, an operator may do it early',
  effect: 'write',
  permission: { verb: 'release:advance', on: [] },
  errors: ['release_not_found', 'release_ended'],
  input: z.object({
    release: z.uuid(),
    /** Where the caller saw it; a release that has moved on stays where it is. */
    from: z.object({ state: ReleaseState, step: z.int().nullable() }).optional(),
    verdicts: z.array(Verdict).max(50).default([]),
    /** Rows of the candidate so far; counted when left out. */
    rows: z.int().min(0).optional(),
  }),
  output: Release,
})

export const rollbackRelease = operation({
  name: 'rollback-release',
  method: 'POST',
  path: '/api/v1/environments/:environment/endpoints/:endpoint/rollback',
  summary: 'Go back in one step: end the running release, or return to what served before the last one',
  effect: 'write',
  permission: { verb: 'release:rollback', on: ['environment', 'endpoint'] },
  errors: ['endpoint_not_found', 'nothing_to_roll_back'],
  input: z.object({
    ...named,
    reason: z.string().min(1).max(500),
    /** Only if this release is the one that runs: the controller's guard against acting twice. */
    release: z.uuid().optional(),
    verdicts: z.array(Verdict).max(50).default([]),
    rows: z.int().min(0).default(0),
  }),
  output: Release,
})

export const publishPlan = operation({
  name: 'publish-plan',
  method: 'POST',
  path: '/api/v1/environments/:environment/serving-plan',
  summary: 'Sign and publish the serving plan anew; Pave does this whenever something in it changes',
  effect: 'write',
  permission: { verb: 'release:publish', on: ['environment'] },
  errors: [],
  input: z.object({ environment: Name }),
  output: z.object({ generation: z.int(), changed: z.boolean() }),
})

export const reportNodeStatus = operation({
  name: 'report-node-status',
  method: 'POST',
  path: '/internal/v1/nodes/:node/status',
  summary: 'A node says which plan it applied and what it could not load',
  effect: 'write',
  permission: { verb: 'node:serve', on: ['environment'] },
  errors: [],
  input: z.looseObject({
    node: z.string().min(1).max(100),
    environment: Name,
    generation: z.int().min(0),
    failed: z
      .array(z.looseObject({ version: z.string(), reason: z.string() }))
      .max(1000)
      .default([]),
    /** Local overrides in force on the node. */
    overrides: z
      .array(z.looseObject({ endpoint: z.string(), version: z.string(), reason: z.string() }))
      .max(1000)
      .default([]),
  }),
  output: z.object({ accepted: z.literal(true) }),
})

const joinToken = { id: z.uuid(), environment: Name, uses: z.int(), expiresAt: Instant }

/** What a machine needs to become an inference node; `uses` is for how many of them, `used` how many there were. */
const JoinToken = z.object({ ...joinToken, used: z.int(), createdAt: Instant, revokedAt: Instant.nullable() })

const Addresses = z
  .array(z.url({ protocol: /^https?$/ }))
  .max(5)
  .default([])

export const createJoinToken = operation({
  name: 'create-join-token',
  method: 'POST',
  path: '/api/v1/environments/:environment/join-tokens',
  summary: 'Make a token with which a machine becomes an inference node of an environment; it is shown once',
  effect: 'write',
  permission: { verb: 'node:enrol', on: ['environment'] },
  errors: [],
  secrets: ['joinToken'],
  input: z.object({
    environment: Name,
    expiresIn: Duration.default('1h').describe('How long it can be used: 15m, 1h, 7d'),
    uses: z.int().min(1).max(1000).default(1).describe('How many nodes may join with it'),
    addresses: Addresses.describe('Where nodes find the control plane; its own address by default'),
  }),
  output: z.object({
    ...joinToken,
    /** For `pave serve --join`. */
    joinToken: z.string(),
    addresses: z.array(z.string()),
    /** Whether a node can tell this control plane from an impostor by its certificate. */
    pinned: z.boolean(),
  }),
})

export const listJoinTokens = operation({
  name: 'list-join-tokens',
  method: 'GET',
  path: '/api/v1/join-tokens',
  summary: 'List join tokens, without their secrets, newest first',
  effect: 'read',
  permission: { verb: 'node:enrol', on: [] },
  errors: [],
  input: z.object(listInput),
  output: pageOf(JoinToken),
})

export const revokeJoinToken = operation({
  name: 'revoke-join-token',
  method: 'POST',
  path: '/api/v1/join-tokens/:joinToken/revoke',
  summary: 'Revoke a join token at once; nodes that joined with it stay',
  effect: 'write',
  permission: { verb: 'node:enrol', on: [] },
  errors: ['join_token_not_found'],
  input: z.object({ joinToken: z.uuid() }),
  output: z.object({ revokedAt: Instant }),
})

export const enrolNode = operation({
  name: 'enrol-node',
  method: 'POST',
  path: '/api/v1/nodes',
  summary: 'Make whoever holds a join token an inference node; `pave serve --join` calls it',
  effect: 'write',
  permission: { verb: 'node:enrol', on: [] },
  errors: ['join_token_unknown', 'join_token_expired', 'join_token_revoked', 'join_token_used_up', 'node_name_taken'],
  secrets: ['token', 'onlineUrl'],
  input: z.object({ secret: z.string().max(200), node: Name }),
  output: z.object({
    node: Name,
    workspace: z.uuid(),
    environment: Name,
    /** Good for this node and this environment, until it is revoked. */
    token: z.string(),
    /** Keys that sign serving plans, in PEM. */
    planPublicKey: z.string(),
    /** The authority that issued the control plane's certificate, in PEM; null when it is one of the usual ones. */
    authority: z.string().nullable(),
    /** Null when the online store is on the control plane's own disk, where no other machine can read it. */
    onlineUrl: z.string().nullable(),
  }),
})

export const errors = defineErrors({
  join_token_unknown: {
    status: 401,
    summary: 'The join token is none of this control plane.',
    hint: 'Make one with `pave create-join-token`.',
  },
  join_token_expired: {
    status: 403,
    summary: 'The join token has expired.',
    hint: 'Make a fresh one with `pave create-join-token`; `--expires-in` says how long it lasts.',
  },
  join_token_revoked: {
    status: 403,
    summary: 'The join token was revoked.',
    hint: 'Make a fresh one with `pave create-join-token`.',
  },
  join_token_used_up: {
    status: 403,
    summary: 'As many nodes as may have joined with this token.',
    hint: 'Make a fresh one with `pave create-join-token`; `--uses` says for how many nodes.',
  },
  join_token_not_found: {
    status: 404,
    summary: 'No such join token.',
    hint: 'List them with `pave list-join-tokens`.',
  },
  node_name_taken: {
    status: 409,
    summary: 'A node or somebody else has this name.',
    hint: 'Choose another name. A node that lost its credentials may join again once its tokens are revoked: see `pave list-tokens` and `pave revoke-token`.',
  },
  endpoint_not_found: {
    status: 404,
    summary: 'The environment has no such endpoint.',
    hint: 'Declare it in a manifest of kind Endpoint; list what exists with `pave list-endpoints`.',
  },
  release_not_found: { status: 404, summary: 'No such release.', hint: 'List them with `pave list-releases`.' },
  release_in_progress: {
    status: 409,
    summary: 'Another release of this endpoint is under way.',
    hint: 'Wait for it, or end it with `pave rollback-release`.',
  },
  release_ended: { status: 409, summary: 'The release has ended.', hint: 'Start a new one with `pave start-release`.' },
  version_already_serving: {
    status: 409,
    summary: 'The version serves this endpoint already.',
    hint: 'Nothing needs to be done.',
  },
  version_unfit: {
    status: 422,
    summary: 'The version cannot serve this endpoint.',
    hint: "Register a version of the endpoint's model whose features its feature service provides.",
  },
  version_without_graph: {
    status: 422,
    summary: 'The version has neither an ONNX graph nor an ONNX twin that is ready, and nodes serve nothing else.',
    hint: 'Have Pave convert it with `pave convert-version NAME@VERSION --follow`, or register a version with a graph.',
  },
  nothing_to_roll_back: {
    status: 409,
    summary: 'There is no running release and nothing that served before.',
    hint: 'Release an older version with `pave start-release`.',
  },
  strategy_invalid: {
    status: 422,
    summary: 'The release strategy contradicts itself.',
    hint: 'Let the weights of the steps rise.',
  },
})
