import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Operation } from '#platform/operation.ts'
import type { Platform } from '#platform/platform.ts'
import { requireActor, traceIdOf } from '#platform/surfaces/request.ts'
import { artifactDownloads, artifactLists, artifactProxy, artifactUpload, attachmentDownload } from './artifacts.ts'
import { assessments } from './assessments.ts'
import { type Call, type Endpoint, JsonText } from './endpoint.ts'
import { MlflowError, mlflowAnswer } from './errors.ts'
import { evaluationDatasets } from './evaluation-datasets.ts'
import { experiments } from './experiments.ts'
import { filterCorrelation } from './filter-correlation.ts'
import { loggedModels } from './logged-models.ts'
import { metrics } from './metrics.ts'
import { modelVersions } from './model-versions.ts'
import { multipartUploads } from './multipart.ts'
import { registeredModels } from './registered-models.ts'
import { roles } from './roles.ts'
import { runs } from './runs.ts'
import { scorers } from './scorers.ts'
import { datasetSummaries } from './search-datasets.ts'
import { oldTraces, traces } from './traces.ts'
import { otlpRoutes } from './traces-otlp.ts'
import { userPermissions, users } from './users.ts'
import { webhooks } from './webhooks.ts'
import { requireWorkspace, workspaces } from './workspaces.ts'

/** The version of MLflow whose clients these answers were tried with. */
const mlflowVersion = '3.17.2'
/** What clients ask before they sign in, as `build_server_info_payload` of MLflow's own server tells it. */
const serverInfo = {
  store_type: 'SqlStore',
  workspaces_enabled: true,
  trace_archival_enabled: false,
  multipart_uploads_enabled: true,
  multipart_downloads_enabled: true,
  presigned_upload_run_id_supported: false,
  presigned_upload_model_id_supported: false,
  features_enabled: { gateway: false },
}
const largestRequest = 16 * 1024 * 1024

const endpoints: readonly Endpoint[] = [
  ...experiments,
  ...runs,
  ...datasetSummaries,
  ...metrics,
  ...artifactLists,
  ...loggedModels,
  ...registeredModels,
  ...modelVersions,
  ...oldTraces,
  ...webhooks,
  ...users,
]
/** Below `/api/3.0/mlflow`. */
const newerEndpoints: readonly Endpoint[] = [
  ...traces,
  ...filterCorrelation,
  ...assessments,
  ...evaluationDatasets,
  ...scorers,
  ...workspaces,
  ...userPermissions,
  ...roles,
]

/** The REST API of MLflow's tracking server and model registry, as far as stock clients use it, under both prefixes. */
export function mlflowRoutes(app: FastifyInstance, platform: Platform): void {
  const callOf = (request: FastifyRequest) => openCall(platform, request)
  app.get('/version', (_request, reply) => reply.type('text/plain').send(mlflowVersion))
  void app.register(async (scope) => {
    scope.setErrorHandler(errorsLikeMlflow(platform))
    artifactDownloads(scope, callOf)
  })
  void app.register(
    async (scope) => {
      answerLikeMlflow(scope, platform)
      otlpRoutes(scope, callOf)
    },
    { prefix: '/v1' },
  )
  for (const prefix of ['/ajax-api', '/gateway', '/graphql']) {
    void app.register(async (scope) => answerLikeMlflow(scope, platform), { prefix })
  }
  for (const prefix of ['/api', '/ajax-api']) {
    void app.register(
      async (scope) => {
        answerLikeMlflow(scope, platform)
        for (const one of endpoints) mount(scope, one, callOf)
        artifactDownloads(scope, callOf)
        attachmentDownload(scope, callOf)
        void scope.register(async (raw) => artifactUpload(raw, callOf))
      },
      { prefix: `${prefix}/2.0/mlflow` },
    )
    void app.register(
      async (scope) => {
        answerLikeMlflow(scope, platform)
        for (const one of newerEndpoints) mount(scope, one, callOf)
        attachmentDownload(scope, callOf)
        scope.get('/server-info', async () => serverInfo)
      },
      { prefix: `${prefix}/3.0/mlflow` },
    )
    void app.register(
      async (scope) => {
        answerLikeMlflow(scope, platform)
        multipartUploads(scope, callOf)
        void scope.register(async (raw) => artifactProxy(raw, callOf))
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
    handler: async (request, reply) => {
      const answer = await one.answer(await callOf(request), requestOf(request))
      return answer instanceof JsonText ? reply.type('application/json; charset=utf-8').send(answer.text) : answer
    },
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
  const call: Call = {
    platform,
    actor,
    async run<Op extends Operation>(
      operation: Op,
      input: z.input<Op['input']>,
      { ifMatch }: { ifMatch?: string } = {},
    ) {
      return platform.run(operation, { actor, input, ifMatch, traceId })
    },
  }
  const workspace = request.headers['x-mlflow-workspace']
  if (workspace !== undefined && workspace !== '') await requireWorkspace(call, String(workspace))
  return call
}

/** A path that MLflow has and Pave has not must say so in these words, which clients take as a cue for older calls. */
function answerLikeMlflow(scope: FastifyInstance, platform: Platform): void {
  scope.setErrorHandler(errorsLikeMlflow(platform))
  scope.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]?.slice(0, 200)
    const error = new MlflowError('ENDPOINT_NOT_FOUND', `Pave has no MLflow endpoint ${request.method} ${path}`)
    return sendError(request, reply, error)
  })
}

function errorsLikeMlflow(platform: Platform) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    if (mlflowAnswer(error).status >= 500) platform.log.error({ err: error }, 'a request of an MLflow client broke')
    return sendError(request, reply, error)
  }
}

function sendError(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const { status, body } = mlflowAnswer(error)
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  // The rest of a body that nobody wants is read and dropped: a closed connection would hide the answer.
  if (!request.raw.complete) {
    reply.removeHeader('connection')
    request.raw.resume()
  }
  for (const name of ['content-length', 'content-range', 'content-disposition', 'etag']) reply.removeHeader(name)
  return reply.status(status).type('application/json').send(JSON.stringify(body))
}
