import { z } from 'zod'

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
  /** Digest of the ONNX graph; a node serves nothing whose bytes do not match. */
  artifact: z.string(),
  signature: z.object({ inputs: z.array(SignatureTensor), outputs: z.array(SignatureTensor) }),
  /** Feature names in the order of the columns of the model's single input tensor. */
  features: z.array(z.string()),
  /** Name of the output tensor that is the prediction. */
  output: z.string(),
})

/** A trailing aggregation as the windowed-aggregation algorithm takes it; `window` and `hop` in milliseconds. */
export const ServedAggregation = z.object({
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

export const RequestField = z.object({
  name: z.string(),
  type: z.enum(['int', 'double', 'bool', 'string', 'timestamp']),
})

export const ServedRoute = z.object({
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
