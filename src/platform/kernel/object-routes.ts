import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Actor, allows } from '../actor.ts'
import { platformFailure } from '../errors.ts'
import type { Platform } from '../platform.ts'
import { workspaceKnowsObject } from '../storage/objects/workspace-objects.ts'
import { requireActor, traceIdOf } from '../surfaces/request.ts'
import { storeUpload } from './store-upload.ts'

const largestObject = 50 * 1024 ** 3

/**
 * Uploads and downloads stream, so they are routes and not declarations: the bytes go to the store first, and
 * `record-object` enters them when they are durable.
 */
export function objectRoutes(app: FastifyInstance, platform: Platform): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.post('/api/v1/objects', async (request) => {
      const actor = await requireActor(platform, request)
      requireVerb(actor, 'object:create')
      const digest = request.headers['x-pave-digest']
      return storeUpload(platform, actor, request.raw, {
        maxBytes: largestObject,
        traceId: traceIdOf(request),
        ...(typeof digest === 'string' && { expectedDigest: digest }),
      })
    })
  })
  app.head('/api/v1/objects/:digest', async (request, reply) => {
    const { stored } = await visibleObject(platform, request)
    if (stored !== undefined) reply.header('content-length', stored.size)
    return reply.status(stored === undefined ? 404 : 200).send()
  })
  app.get('/api/v1/objects/:digest', { exposeHeadRoute: false }, async (request, reply) => {
    const { digest, stored } = await visibleObject(platform, request)
    if (stored === undefined) throw platformFailure('not_found', `There is no object ${digest}`)
    return reply
      .type('application/octet-stream')
      .header('content-length', stored.size)
      .header('content-disposition', 'attachment')
      .header('etag', `"${digest}"`)
      .send(await platform.services.objects.open(digest))
  })
}

/** Objects are shared between workspaces by content, so a digest alone opens nothing: the workspace must have met it. */
async function visibleObject(platform: Platform, request: FastifyRequest) {
  const actor = await requireActor(platform, request)
  requireVerb(actor, 'object:read')
  const digest = digestParameter(request)
  const known = await platform.read(actor.workspace, (db) => workspaceKnowsObject(db, actor.workspace, digest))
  return { digest, stored: known ? await platform.services.objects.stat(digest) : undefined }
}

function digestParameter(request: FastifyRequest): string {
  const params = request.params
  return typeof params === 'object' && params !== null && 'digest' in params ? String(params.digest) : ''
}

function requireVerb(actor: Actor, verb: string): void {
  if (!allows(actor.grants, verb, {})) throw platformFailure('permission_denied', `${actor.name} lacks ${verb}`)
}
