import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { getVersion } from '#modules/registry/contract.ts'
import {
  ArtifactPath,
  getArtifact,
  getLoggedModel,
  getTrackingRun,
  listArtifacts,
  recordArtifact,
} from '#modules/tracking/contract.ts'
import { allows } from '#platform/actor.ts'
import { platformFailure } from '#platform/errors.ts'
import { storeUpload } from '#platform/kernel/store-upload.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { type Call, cursorOf, endpoint } from './endpoint.ts'
import { invalid, notFound } from './errors.ts'
import { type Location, locationOf, loggedModelLocation, runLocation } from './location.ts'
import { RunId } from './run-id.ts'
import { graphFile, modelFile, writeModelFile } from './version-files.ts'

const largestArtifact = 50 * 1024 ** 3

type PageOfFiles = AnswerOf<typeof listArtifacts>

interface FileInfo {
  path: string
  is_dir: boolean
  file_size?: number
}

/** The lists of `runs` and of `logged-models`: paths are whole. */
export const artifactLists = [
  endpoint(
    'GET',
    'artifacts/list',
    z.object({ run_id: RunId, path: z.string().optional() }),
    async (call, { run_id: run, path = '' }) => {
      const root_uri = runLocation(await call.run(getTrackingRun, { run }))
      return { root_uri, files: await listFiles(call, { kind: 'artifact', owner: run, path }) }
    },
  ),
  endpoint(
    'GET',
    'logged-models/:model_id/artifacts/directories',
    z.object({ model_id: z.string(), artifact_directory_path: z.string().optional() }),
    async (call, { model_id, artifact_directory_path: path = '' }) => {
      const root_uri = loggedModelLocation(await call.run(getLoggedModel, { loggedModel: model_id }))
      return { root_uri, files: await listFiles(call, { kind: 'artifact', owner: model_id, path }) }
    },
  ),
]

/** The proxy that stock clients upload to and download from: bytes stream, and answers of lists are base names. */
export function artifactProxy(scope: FastifyInstance, callOf: (request: FastifyRequest) => Promise<Call>): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
  scope.get('/artifacts', async (request) => {
    const call = await callOf(request)
    const { path } = z.object({ path: z.string() }).parse(request.query)
    const files = await listFiles(call, locationOf(path))
    return { files: files.map((file) => ({ ...file, path: file.path.split('/').at(-1) })) }
  })
  scope.get('/artifacts/*', async (request, reply) => {
    const call = await callOf(request)
    const { size, content } = await readFile(call, locationOf(proxyPath(request)))
    // Whatever was uploaded must not run in the browser of whoever looks at it.
    return reply
      .type('application/octet-stream')
      .header('content-length', size)
      .header('content-disposition', 'attachment')
      .header('content-security-policy', 'sandbox')
      .send(content)
  })
  scope.put('/artifacts/*', async (request) => {
    const call = await callOf(request)
    const location = locationOf(proxyPath(request))
    if (location.kind === 'version') throw invalid('A registered version never changes: register a new one')
    const path = ArtifactPath.parse(location.path)
    if (!allows(call.actor.grants, 'run:log', {})) {
      throw platformFailure('permission_denied', `${call.actor.name} lacks run:log`)
    }
    const stored = await storeUpload(call.platform, call.actor, request.raw, { maxBytes: largestArtifact })
    await call.run(recordArtifact, { owner: location.owner, path, ...stored })
    return {}
  })
}

async function readFile(call: Call, location: Location): Promise<{ size: number; content: Readable | string }> {
  const { objects } = call.platform.services
  if (location.kind === 'artifact') {
    const { digest, size } = await call.run(getArtifact, { owner: location.owner, path: location.path })
    return { size, content: await objects.open(digest) }
  }
  const version = await call.run(getVersion, { version: location.version })
  if (location.path === modelFile) {
    const content = writeModelFile(version)
    return { size: Buffer.byteLength(content), content }
  }
  const stored = location.path === graphFile ? await objects.stat(version.artifact) : undefined
  if (stored === undefined) throw notFound(`${version.ref} has no file ${location.path}`)
  return { size: stored.size, content: await objects.open(stored.digest) }
}

async function listFiles(call: Call, location: Location): Promise<FileInfo[]> {
  if (location.kind === 'version') return versionFiles(call, location)
  const files: FileInfo[] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor }: PageOfFiles = await pageOfFiles(call, location, cursor)
    files.push(...items.map(fileInfo))
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return files
}

function pageOfFiles(call: Call, { owner, path }: Location & { kind: 'artifact' }, cursor: string | undefined) {
  return call.run(listArtifacts, { owner, limit: 1000, ...(path !== '' && { path }), ...cursorOf(cursor) })
}

function fileInfo({ path, directory, size }: { path: string; directory: boolean; size: number }): FileInfo {
  return { path, is_dir: directory, ...(!directory && { file_size: size }) }
}

async function versionFiles(call: Call, { version: ref, path }: Location & { kind: 'version' }): Promise<FileInfo[]> {
  const version = await call.run(getVersion, { version: ref })
  if (path !== '') return []
  const graph = await call.platform.services.objects.stat(version.artifact)
  return [
    { path: modelFile, is_dir: false, file_size: Buffer.byteLength(writeModelFile(version)) },
    { path: graphFile, is_dir: false, file_size: graph?.size ?? 0 },
  ]
}

function proxyPath(request: FastifyRequest): string {
  return z.object({ '*': z.string() }).parse(request.params)['*']
}
