import { S3Client } from '@aws-sdk/client-s3'
import { PaveError } from '../../errors.ts'
import { retry } from '../retry.ts'
import { objectFailure } from './object-store.ts'

/** Where the bucket is, and how long to wait for it. */
export interface S3Location {
  bucket: string
  /** Empty, or ends with a slash. */
  prefix: string
  endpoint: string | undefined
  region: string | undefined
  pathStyle: boolean
  /** Bytes of local copies to keep; what was used within the hour is kept beyond it. */
  cacheBytes: number
}

export interface S3Timeouts {
  /** For one request, from connecting to its answer; a part of an upload takes at most as long. */
  requestMs: number
  /** Between two pieces of an answer. */
  stallMs: number
  /** For all attempts at a request. */
  patienceMs: number
}

export const usualTimeouts: S3Timeouts = { requestMs: 60_000, stallMs: 15_000, patienceMs: 30_000 }

/** One bucket: every request is tried again while it may pass, and fails with one of our errors. */
export interface S3Connection extends S3Location {
  timeouts: S3Timeouts
  client: S3Client
  call<T>(send: (client: S3Client, signal: AbortSignal) => Promise<T>, options?: { moreMs?: number }): Promise<T>
}

const parameters = ['endpoint', 'region', 'pathStyle', 'cacheGiB']
const gibibyte = 2 ** 30

/** `s3://bucket/prefix?endpoint=https://host&region=name&pathStyle=true&cacheGiB=20`; credentials stand elsewhere. */
export function parseS3Url(text: string): S3Location {
  const refuse = (why: string) => objectFailure('object_store_misconfigured', `OBJECTS_URL ${why}`)
  const url = URL.parse(text)
  if (url === null || url.protocol !== 's3:') throw refuse('is not an s3:// URL')
  const server = URL.parse(url.searchParams.get('endpoint') ?? '')
  // Never repeated: what stands there is a secret.
  if ([url, server].some((one) => one !== null && one.username + one.password !== ''))
    throw objectFailure('object_store_misconfigured', 'OBJECTS_URL holds credentials', {
      hint: 'Take them out of the URL and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role.',
    })
  if (url.host === '') throw refuse('names no bucket')
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.includes(name))
  if (unknown !== undefined) throw refuse(`has an unknown parameter ${unknown}; it takes ${parameters.join(', ')}`)
  const parameter = (name: string) => url.searchParams.get(name) || undefined
  const endpoint = parameter('endpoint')
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? ''))
    throw refuse('has an endpoint that is no http or https address')
  const pathStyle = parameter('pathStyle') ?? 'false'
  if (pathStyle !== 'true' && pathStyle !== 'false') throw refuse('has a pathStyle that is neither true nor false')
  const cacheGiB = Number(parameter('cacheGiB') ?? 20)
  if (!(cacheGiB >= 0)) throw refuse('has a cacheGiB that is no number')
  const prefix = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '')
  return {
    bucket: url.host,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint,
    region: parameter('region'),
    pathStyle: pathStyle === 'true',
    cacheBytes: cacheGiB * gibibyte,
  }
}

export function connectS3(location: S3Location, timeouts: S3Timeouts): S3Connection {
  const { endpoint, region, pathStyle } = location
  const client = new S3Client({
    ...(endpoint !== undefined && { endpoint, region: region ?? 'us-east-1' }),
    ...(region !== undefined && { region }),
    forcePathStyle: pathStyle,
    // Every body is checked by its sha256, and servers differ in what else they understand.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 5000 },
  })
  const patience = { totalMs: timeouts.patienceMs, firstWaitMs: 100, passes: isPassing }
  return {
    ...location,
    timeouts,
    client,
    call: (send, { moreMs = 0 } = {}) =>
      retry(patience, async () => {
        const limit = new AbortController()
        const timer = setTimeout(() => limit.abort(), timeouts.requestMs + moreMs)
        try {
          return await send(client, limit.signal)
        } catch (error) {
          throw explainS3(error, location)
        } finally {
          // What follows an answer's head has its own limit.
          clearTimeout(timer)
        }
      }),
  }
}

const isPassing = (error: unknown) => error instanceof PaveError && error.code === 'object_store_unavailable'

/** One of our errors for whatever the store, the network or the client library say. */
export function explainS3(error: unknown, { bucket, endpoint }: Pick<S3Location, 'bucket' | 'endpoint'>): unknown {
  if (error instanceof PaveError || !(error instanceof Error)) return error
  const status = statusOf(error)
  const said = error.message === '' || error.message === 'UnknownError' ? '' : `: ${error.message}`
  const message = `${endpoint ?? 'S3'} said ${status ?? 'nothing'} ${error.name} for bucket ${bucket}${said}`
  const fail = (code: Parameters<typeof objectFailure>[0], hint?: string) =>
    objectFailure(code, message, { cause: error, ...(hint !== undefined && { hint }) })

  if (error.name === 'NoSuchBucket')
    return fail('object_store_misconfigured', `Create the bucket ${bucket}, or mend its name in OBJECTS_URL.`)
  if (error.name === 'CredentialsProviderError') return fail('object_store_denied')
  if (status === 507 || /quota|storagefull|insufficientstorage|nospace/i.test(error.name))
    return fail('object_store_full')
  if (status === 301 || status === 307 || /region|AuthorizationHeaderMalformed/i.test(`${error.name} ${error.message}`))
    return fail('object_store_misconfigured', 'Set the region of the bucket in OBJECTS_URL: ?region=name.')
  if (status === 401 || status === 403) return fail('object_store_denied')
  // Bytes that were damaged on their way, or somebody else's write at the same moment: both pass.
  const passes =
    /BadDigest|SHA256Mismatch|ChecksumMismatch|Conflict|OperationAborted|RequestTimeout|IncompleteBody/.test(error.name)
  if (status === undefined || status < 400 || status === 429 || status >= 500 || passes)
    return fail('object_store_unavailable')
  return fail('object_store_misconfigured')
}

export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined
}
