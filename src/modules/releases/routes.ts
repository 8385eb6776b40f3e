import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sql } from 'kysely'
import { z } from 'zod'
import { allows, systemActor } from '#platform/actor.ts'
import { platformFailure } from '#platform/errors.ts'
import { Digest, Name } from '#platform/names.ts'
import type { Platform } from '#platform/platform.ts'
import { requireActor, traceIdOf } from '#platform/surfaces/request.ts'
import { enrolNode, type SignedServingPlan } from './contract.ts'
import { workspaceOfJoinToken } from './join-tokens.ts'
import { awaitPlan } from './plan-news.ts'

const longestWaitMs = 20_000

const Wanted = z.object({ environment: Name, after: z.coerce.number().int().min(0).default(0) })

const Joining = z.object({ secret: z.string().max(200), node: Name })

/** How a machine becomes a node, and what nodes fetch: the newest plan, by long poll, and the artifacts that it names. */
export function nodeRoutes(app: FastifyInstance, platform: Platform): void {
  // Nobody is known yet, so the secret says which workspace.
  app.post('/internal/v1/enrolments', async (request) => {
    const input = Joining.parse(request.body)
    const workspace = await workspaceOfJoinToken(platform, input.secret)
    return platform.run(enrolNode, { actor: systemActor(workspace), input, traceId: traceIdOf(request) })
  })

  app.get('/internal/v1/serving-plan', async (request, reply) => {
    const { environment, after } = Wanted.parse(request.query)
    const { workspace } = await requireNode(platform, request, [environment])
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    // Listening begins before the look, or what is announced between the two would be missed.
    const news = awaitPlan(platform, workspace, environment, longestWaitMs, gone.signal)
    try {
      let plan = await newestPlan(platform, workspace, environment, after)
      if (plan === undefined) {
        await news
        // Its token may have been revoked meanwhile.
        await requireNode(platform, request, [environment])
        plan = await newestPlan(platform, workspace, environment, after)
      }
      return plan === undefined ? reply.status(204).send() : plan
    } finally {
      gone.abort()
    }
  })

  app.get('/internal/v1/objects/:digest', async (request, reply) => {
    const { digest } = z.object({ digest: Digest }).parse(request.params)
    const { workspace } = await requireActor(platform, request)
    const environments = await environmentsThatName(platform, workspace, digest)
    await requireNode(platform, request, environments)
    return reply.type('application/octet-stream').send(await platform.services.objects.open(digest))
  })
}

async function environmentsThatName(platform: Platform, workspace: string, digest: string): Promise<string[]> {
  const environments = await platform.read(workspace, async (db) => {
    const { rows } = await sql<{ environment: string }>`
      select distinct p.environment
      from releases.plan p, jsonb_array_elements(nullif(p.payload, '')::jsonb -> 'versions') as version
      where version ->> 'artifact' = ${digest}
    `.execute(db)
    return rows.map((row) => row.environment)
  })
  if (environments.length === 0) throw platformFailure('not_found', `No serving plan names ${digest}`)
  return environments
}

/** The caller is a node of one of the environments. */
async function requireNode(
  platform: Platform,
  request: FastifyRequest,
  environments: readonly string[],
): Promise<{ workspace: string }> {
  const actor = await requireActor(platform, request)
  if (!environments.some((environment) => allows(actor.grants, 'node:serve', { environment }))) {
    throw platformFailure('permission_denied', `${actor.name} is not an inference node of ${environments.join(', ')}`)
  }
  return actor
}

async function newestPlan(
  platform: Platform,
  workspace: string,
  environment: string,
  after: number,
): Promise<SignedServingPlan | undefined> {
  return platform.read(workspace, async (db) => {
    const { rows } = await sql<SignedServingPlan>`
      select payload, signature, key_id as "keyId" from releases.plan
      where environment = ${environment} and generation > ${after} and generation > 0
    `.execute(db)
    return rows[0]
  })
}
