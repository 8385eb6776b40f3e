import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ArtifactPath } from '#modules/tracking/contract.ts'
import { storeUpload } from '#platform/kernel/store-upload.ts'
import { Digest } from '#platform/names.ts'
import { objectsMissing } from '#platform/storage/objects/workspace-objects.ts'
import { type CallOf, keepFile, largestArtifact, proxyPath, requireLogging, takeBodiesRaw } from './artifacts.ts'
import { type Call, Integer } from './endpoint.ts'
import { invalid } from './errors.ts'
import { type Location, locationOf } from './location.ts'
import { findFile } from './send-file.ts'

const largestPart = 5 * 1024 ** 3

const Create = z.object({
  path: z.string().min(1).max(4000),
  num_parts: Integer.default(1).refine((parts) => parts >= 1 && parts <= 10_000, 'must be between 1 and 10000'),
})

const Complete = z.object({
  path: z.string().min(1).max(4000),
  upload_id: z.string().max(100).optional(),
  parts: z
    .array(z.object({ part_number: Integer, etag: z.string().max(200) }))
    .min(1)
    .max(10_000),
})

/**
 * Uploads in parts, for clients that set `MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD`. The parts come to Pave too. An upload has
 * no state: each part is an object, its ETag is the digest, and the list of them that completes the upload says all.
 */
export function multipartUploads(scope: FastifyInstance, callOf: CallOf): void {
  scope.post('/mpu/create/*', async (request) => {
    const call = await callOf(request)
    requireLogging(call)
    const { path, num_parts } = Create.parse(request.body)
    targetOf(request, path)
    const upload_id = call.platform.ids.next()
    const [before = ''] = request.url.split('/mpu/create/')
    const credentials = Array.from({ length: num_parts }, (_, index) => ({
      url: ownUrl(call, request, `${before}/mpu/part/${upload_id}/${index + 1}`),
      part_number: index + 1,
      // The client sends what it is given here and no token of its own; the caller's goes back to the caller.
      headers: ownHeaders(request),
    }))
    return { upload_id, credentials }
  })
  scope.post('/mpu/complete/*', { bodyLimit: 16 * 1024 ** 2 }, async (request) => {
    const call = await callOf(request)
    requireLogging(call)
    const { path, parts } = Complete.parse(request.body)
    const ordered = parts.toSorted((a, b) => a.part_number - b.part_number)
    if (ordered.some(({ part_number }, index) => part_number !== index + 1)) {
      throw invalid(`The parts must be numbered from 1 to ${parts.length}`)
    }
    const digests = ordered.map(({ etag }) => Digest.parse(etag.replaceAll('"', '')))
    const [missing] = await call.platform.read(call.actor.workspace, (db) =>
      objectsMissing(db, call.actor.workspace, digests),
    )
    if (missing !== undefined) throw invalid(`No part ${missing} was uploaded`)
    await keepFile(call, targetOf(request, path), joined(call, digests), { maxBytes: largestArtifact })
    return {}
  })
  // Downloads in parts: ranges of the file itself.
  scope.get('/presigned/*', async (request) => {
    const call = await callOf(request)
    const location = locationOf(proxyPath(request))
    const [before = '', path = ''] = request.url.split('/presigned/')
    const { size } = await findFile(call, location)
    return { url: ownUrl(call, request, `${before}/artifacts/${path}`), headers: ownHeaders(request), file_size: size }
  })
  scope.post('/mpu/abort/*', async (request) => {
    requireLogging(await callOf(request))
    return {}
  })
  void scope.register(async (parts) => {
    takeBodiesRaw(parts)
    parts.put('/mpu/part/:upload/:number', async (request, reply) => {
      const call = await callOf(request)
      requireLogging(call)
      const { digest } = await storeUpload(call.platform, call.actor, request.raw, { maxBytes: largestPart })
      return reply.header('etag', `"${digest}"`).send({})
    })
  })
}

function ownUrl(call: Call, request: FastifyRequest, path: string): string {
  const root = call.platform.services.config.url ?? `${request.protocol}://${request.headers.host}`
  return new URL(path, root).href
}

function ownHeaders({ headers: { authorization } }: FastifyRequest): Record<string, string> {
  return authorization === undefined ? {} : { Authorization: authorization }
}

/** The directory is in the URL; of the path on the client's disk only the name of the file counts. */
function targetOf(request: FastifyRequest, path: string): Location {
  const location = locationOf(proxyPath(request))
  if (location.kind !== 'artifact') throw invalid('Only artifacts of runs and logged models come in parts')
  const name = path.split(/[/\\]/).at(-1) ?? ''
  return { ...location, path: ArtifactPath.parse(location.path === '' ? name : `${location.path}/${name}`) }
}

async function* joined(call: Call, digests: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const digest of digests) yield* await call.platform.services.objects.open(digest)
}
