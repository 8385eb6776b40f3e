import type { FastifyInstance } from 'fastify'
import { platformFailure } from '#platform/errors.ts'
import type { Platform } from '#platform/platform.ts'
import { header, requireActor, traceIdOf } from '#platform/surfaces/request.ts'
import { largestChunk, recordPredictions } from './contract.ts'

/** What nodes send is NDJSON with its name in headers; behind it stands `record-predictions`. */
export function chunkRoutes(app: FastifyInstance, platform: Platform): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/x-ndjson', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    )
    scope.post('/internal/v1/prediction-records', { bodyLimit: largestChunk }, async (request) => {
      const actor = await requireActor(platform, request)
      if (!Buffer.isBuffer(request.body)) throw platformFailure('malformed_body', 'The request has no body')
      return platform.run(recordPredictions, {
        actor,
        input: {
          node: header(request, 'x-pave-node') ?? '',
          chunk: header(request, 'x-pave-chunk') ?? '',
          digest: header(request, 'x-pave-digest') ?? '',
          lines: request.body.toString('utf8'),
        },
        traceId: traceIdOf(request),
      })
    })
  })
}
