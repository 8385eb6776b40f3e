import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { TraceId } from '#modules/traces/contract.ts'
import {
  ArtifactPath,
  deleteArtifacts,
  getLoggedModel,
  getTrackingRun,
  recordArtifact,
} from '#modules/tracking/contract.ts'
import { allows } from '#platform/actor.ts'
import { platformFailure } from '#platform/errors.ts'
import { storeUpload } from '#platform/kernel/store-upload.ts'
import type { ObjectContent } from '#platform/storage/objects/object-store.ts'
import { attachmentTarget } from './attachments.ts'
import { type Call, endpoint, omitEmpty } from './endpoint.ts'
import { invalid } from './errors.ts'
import { listFiles } from './list-files.ts'
import { type Location, locationOf, loggedModelLocation, runLocation } from './location.ts'
import { RunId } from './run-id.ts'
import { sendFile } from './send-file.ts'

export type CallOf = (request: FastifyRequest) => Promise<Call>

export const largestArtifact = 50 * 1024 ** 3
/** What MLflow's own pages may upload to a run at once. */
const largestFromPage = 10 * 1024 ** 2

/** The lists of `runs` and of `logged-models`: paths are whole. */
export const artifactLists = [
  endpoint(
    'GET',
    'artifacts/list',
    z.object({ run_id: RunId, path: z.string().optional() }),
    async (call, { run_id: run, path = '' }) => {
      const root_uri = runLocation(await call.run(getTrackingRun, { run }))
      return omitEmpty({ root_uri, files: await listFiles(call, { kind: 'artifact', owner: run, path }) })
    },
  ),
  endpoint(
    'GET',
    'logged-models/:model_id/artifacts/directories',
    z.object({ model_id: z.string(), artifact_directory_path: z.string().optional() }),
    async (call, { model_id, artifact_directory_path: path = '' }) => {
      const root_uri = loggedModelLocation(await call.run(getLoggedModel, { loggedModel: model_id }))
      return omitEmpty({ root_uri, files: await listFiles(call, { kind: 'artifact', owner: model_id, path }) })
    },
  ),
]

/** The proxy that stock clients upload to and download from: bytes stream, and answers of lists are base names. */
export function artifactProxy(scope: FastifyInstance, callOf: CallOf): void {
  takeBodiesRaw(scope)
  scope.get('/artifacts', async (request) => {
    const call = await callOf(request)
    const { path } = z.object({ path: z.string() }).parse(request.query)
    const files = await listFiles(call, locationOf(path))
    return omitEmpty({ files: files.map((file) => ({ ...file, path: file.path.split('/').at(-1) })) })
  })
  scope.get('/artifacts/*', async (request, reply) => {
    const call = await callOf(request)
    return sendFile(call, request, reply, locationOf(proxyPath(request)))
  })
  scope.put('/artifacts/*', async (request) => {
    const call = await callOf(request)
    await keepFile(call, locationOf(proxyPath(request)), request.raw, {
      maxBytes: largestArtifact,
      digest: request.headers['x-pave-digest'],
    })
    return {}
  })
  scope.delete('/artifacts/*', async (request) => {
    const call = await callOf(request)
    const location = locationOf(proxyPath(request))
    if (location.kind === 'version') throw invalid('A registered version never changes: delete the version')
    if (location.kind === 'attachment') throw invalid('An attachment goes with its trace: delete the trace')
    await call.run(deleteArtifacts, { owner: location.owner, path: ArtifactPath.parse(location.path) })
    return {}
  })
}

const OfRun = z.object({ run_id: RunId, path: z.string() })
const OfVersion = z.object({ name: z.string(), version: z.coerce.string(), path: z.string() })
const OfTrace = z.object({ request_id: TraceId, path: z.uuid() })
const OfLoggedModel = z.object({ model_id: z.string(), artifact_file_path: z.string() })

/** Where MLflow's pages get files from, beside the proxy: at the root, and below `/ajax-api/2.0/mlflow`. */
export function artifactDownloads(scope: FastifyInstance, callOf: CallOf): void {
  scope.get('/get-artifact', async (request, reply) => {
    const call = await callOf(request)
    const { run_id: owner, path } = OfRun.parse(fieldsOf(request))
    return sendFile(call, request, reply, { kind: 'artifact', owner, path })
  })
  scope.get('/model-versions/get-artifact', async (request, reply) => {
    const call = await callOf(request)
    const { name, version, path } = OfVersion.parse(fieldsOf(request))
    return sendFile(call, request, reply, { kind: 'version', version: `${name}@${version}`, path })
  })
  scope.get('/logged-models/:model_id/artifacts/files', async (request, reply) => {
    const call = await callOf(request)
    const { model_id: owner, artifact_file_path: path } = OfLoggedModel.parse(fieldsOf(request))
    return sendFile(call, request, reply, { kind: 'artifact', owner, path })
  })
}

/** What spans refer to, where MLflow's pages get it from. */
export function attachmentDownload(scope: FastifyInstance, callOf: CallOf): void {
  scope.get('/get-trace-artifact', async (request, reply) => {
    const call = await callOf(request)
    const { request_id: trace, path } = OfTrace.parse(request.query)
    return sendFile(call, request, reply, { kind: 'attachment', trace, path: `attachments/${path}` })
  })
}

export function artifactUpload(scope: FastifyInstance, callOf: CallOf): void {
  takeBodiesRaw(scope)
  scope.post('/upload-artifact', async (request) => {
    const call = await callOf(request)
    const { run_id: owner, path } = OfRun.parse(fieldsOf(request))
    await keepFile(call, { kind: 'artifact', owner, path }, request.raw, { maxBytes: largestFromPage })
    return {}
  })
}

/** The bytes are durable before they have a path. */
export async function keepFile(
  call: Call,
  location: Location,
  content: ObjectContent,
  { maxBytes, digest }: { maxBytes: number; digest?: string | string[] | undefined },
): Promise<void> {
  if (location.kind === 'version') throw invalid('A registered version never changes: register a new one')
  const path = ArtifactPath.parse(location.path)
  const attach = location.kind === 'attachment' ? attachmentTarget(location) : undefined
  requireLogging(call)
  const stored = await storeUpload(call.platform, call.actor, content, {
    maxBytes,
    ...(typeof digest === 'string' && { expectedDigest: digest }),
  })
  if (attach !== undefined) await attach(call, stored)
  if (location.kind === 'artifact') await call.run(recordArtifact, { owner: location.owner, path, ...stored })
}

/** Nobody fills the disk who could not name what is there afterwards. */
export function requireLogging(call: Call): void {
  if (!allows(call.actor.grants, 'run:log', {})) {
    throw platformFailure('permission_denied', `${call.actor.name} lacks run:log`)
  }
}

/** The body stays a stream for whoever wants it. */
export function takeBodiesRaw(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
}

export function proxyPath(request: FastifyRequest): string {
  return z.object({ '*': z.string() }).parse(request.params)['*']
}

function fieldsOf({ query, params }: FastifyRequest): Record<string, unknown> {
  const fields = [query, params].flatMap((part) =>
    typeof part === 'object' && part !== null ? Object.entries(part) : [],
  )
  const { run_uuid, ...given } = Object.fromEntries(fields)
  return run_uuid === undefined ? given : { run_id: run_uuid, ...given }
}
