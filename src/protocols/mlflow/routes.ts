import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Operation } from '#platform/operation.ts'
import type { Platform } from '#platform/platform.ts'
import { requireActor, traceIdOf } from '#platform/surfaces/request.ts'
import { artifactLists, artifactProxy } from './artifacts.ts'
import type { Call, Endpoint } from './endpoint.ts'
import { MlflowError, mlflowAnswer } from './errors.ts'
import { experiments } from './experiments.ts'
import { loggedModels } from './logged-models.ts'
import { registeredModels } from './registered-models.ts'
import { runs } from './runs.ts'

/** The version of MLflow whose clients these answers were tried with. */
const mlflowVersion = '3.17.2'
const largestRequest = 16 * 1024 * 1024

const endpoints: readonly Endpoint[] = [...experiments, ...runs, ...artifactLists, ...loggedModels, ...registeredModels]

/** The REST API of MLflow's tracking server and model registry, as far as stock clients use it, under both prefixes. */
export function mlflowRoutes(app: FastifyInstance, platform: Platform): void {
  const callOf = (request: FastifyRequest) => openCall(platform, request)
  app.get('/version', (_request, reply) => reply.type('text/plain').send(mlflowVersion))
  for (const prefix of ['/api', '/ajax-api']) {
    void app.register(
      async (scope) => {
        answerLikeMlflow(scope, platform)
        for (const one of endpoints) mount(scope, one, callOf)
      },
      { prefix: `${prefix}/2.0/mlflow` },
    )
    void app.register(async (scope) => answerLikeMlflow(scope, platform), { prefix: `${prefix}/3.0/mlflow` })
    void app.register(
      async (scope) => {
        answerLikeMlflow(scope, platform)
        artifactProxy(scope, callOf)
      },
      { prefix: `${prefix}/2.0/mlflow-artifacts` },
    )
  }
}

function mount(scope: FastifyInstance, one: Endpoint, callOf: (request: FastifyRequest) => Promise<Call>): void {
  scope.route({
    method: one.method,
    url: `/${one.path}`,
    bodyLimit: largestRequest,
    exposeHeadRoute: false,
    handler: async (request) => one.answer(await callOf(request), requestOf(request)),
  })
}

/** Query, body and path parameters as one; an absent field may also be null, and `run_uuid` is the older `run_id`. */
function requestOf({ query, body, params }: FastifyRequest): Record<string, unknown> {
  const fields = [query, body, params].flatMap((part) =>
    typeof part === 'object' && part !== null ? Object.entries(part) : [],
  )
  const { run_uuid, ...given } = Object.fromEntries(fields.filter(([, value]) => value !== null))
  return run_uuid === undefined ? given : { run_id: run_uuid, ...given }
}

async function openCall(platform: Platform, request: FastifyRequest): Promise<Call> {
  const actor = await requireActor(platform, request)
  const traceId = traceIdOf(request)
  return {
    platform,
    actor,
    async run<Op extends Operation>(
      operation: Op,
      input: z.input<Op['input']>,
      { ifMatch }: { ifMatch?: string } = {},
    ) {
      return answerOf<Op['output']>(operation.output, await platform.run(operation, { actor, input, ifMatch, traceId }))
    },
  }
}

function answerOf<O extends z.ZodType>(output: O, value: unknown): z.output<O> {
  return output.parse(value)
}

/** A path that MLflow has and Pave has not must say so in these words, which clients take as a cue for older calls. */
function answerLikeMlflow(scope: FastifyInstance, platform: Platform): void {
  const send = (reply: FastifyReply, error: unknown) => {
    const { status, body } = mlflowAnswer(error)
    if (status === 401) reply.header('www-authenticate', 'Bearer')
    return reply.status(status).type('application/json').send(JSON.stringify(body))
  }
  scope.setErrorHandler((error, _request, reply) => {
    if (mlflowAnswer(error).status >= 500) platform.log.error({ err: error }, 'a request of an MLflow client broke')
    return send(reply, error)
  })
  scope.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]?.slice(0, 200)
    return send(reply, new MlflowError('ENDPOINT_NOT_FOUND', `Pave has no MLflow endpoint ${request.method} ${path}`))
  })
}
