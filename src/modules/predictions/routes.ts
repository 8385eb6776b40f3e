import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { platformFailure } from '#platform/errors.ts'
import { Name } from '#platform/names.ts'
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
      const lines = request.body.toString('utf8')
      return platform.run(recordPredictions, {
        actor,
        input: {
          node: header(request, 'x-pave-node') ?? '',
          chunk: header(request, 'x-pave-chunk') ?? '',
          digest: header(request, 'x-pave-digest') ?? '',
          environment: environmentOf(lines),
          lines,
        },
        traceId: traceIdOf(request),
      })
    })
  })
}

/** Of the first record; the operation holds the others to it. What cannot be read, it refuses with its reason. */
function environmentOf(lines: string): string | undefined {
  try {
    const [first = ''] = lines.split('\n', 1)
    return z.object({ environment: Name }).parse(JSON.parse(first)).environment
  } catch {
    return undefined
  }
}
