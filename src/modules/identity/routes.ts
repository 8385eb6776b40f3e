import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import type { Platform } from '#platform/platform.ts'
import { requireOwnPage } from '#platform/surfaces/own-page.ts'
import { actorOrNobody } from '#platform/surfaces/request.ts'
import * as contract from './contract.ts'
import { identityFailure } from './tables.ts'
import { hashOf } from './tokens.ts'

const Secret = z.union([z.strictObject({ code: z.string().max(200) }), z.strictObject({ token: z.string().max(200) })])

/** The console's sign-in: the code of a link, or an API token, becomes a session cookie. */
export function signInRoutes(app: FastifyInstance, platform: Platform): void {
  const { config } = platform.services
  const secure = config.tls.kind === 'off' ? '' : '; Secure'
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure}`
  app.post('/console/session', async (request, reply) => {
    requireOwnPage(config, request, { program: 'accepted' })
    if (!platform.refusals.allow(`sign-in from ${request.ip}`)) {
      throw identityFailure('too_many_sign_ins', `Too many attempts to sign in came from ${request.ip}`)
    }
    const secret = Secret.parse(request.body)
    const session = 'code' in secret ? await redeem(platform, secret.code) : await open(platform, secret.token)
    return reply
      .header('set-cookie', `pave_session=${session.token}; ${attributes}; Max-Age=43200`)
      .send({ signedIn: true })
  })
  app.delete('/console/session', async (request, reply) => {
    requireOwnPage(config, request, { program: 'accepted' })
    const actor = await actorOrNobody(platform, request)
    if (actor.token !== undefined) await platform.run(contract.closeSession, { actor, input: {} })
    return reply.header('set-cookie', `pave_session=; ${attributes}; Max-Age=0`).send({ signedIn: false })
  })
}

/** Nobody is known yet, so the code says which workspace. */
async function redeem(platform: Platform, code: string): Promise<{ token: string }> {
  const { rows } = await sql<{ workspace: string }>`
    select workspace from identity.sign_in_link where hash = ${hashOf(code)}
  `.execute(platform.system)
  const workspace = rows[0]?.workspace
  if (workspace === undefined) throw identityFailure('sign_in_link_invalid', 'This sign-in link is unknown')
  return platform.run(contract.redeemSignInLink, { actor: systemActor(workspace), input: { code } })
}

async function open(platform: Platform, token: string): Promise<{ token: string }> {
  const actor = await platform.authenticate(token)
  if (actor === undefined) throw identityFailure('token_unknown', 'This API token is unknown, expired or revoked')
  return platform.run(contract.openSession, { actor, input: {} })
}
