import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { z } from 'zod'
import { systemActor } from '#platform/actor.ts'
import type { Platform } from '#platform/platform.ts'
import * as contract from './contract.ts'
import { identityFailure } from './tables.ts'
import { hashOf } from './tokens.ts'

/** The console's sign-in: a code becomes a session cookie. Nobody is known yet, so the code says which workspace. */
export function signInRoutes(app: FastifyInstance, platform: Platform): void {
  app.post('/console/session', async (request, reply) => {
    const { code } = z.object({ code: z.string().max(200) }).parse(request.body)
    const { rows } = await sql<{ workspace: string }>`
      select workspace from identity.sign_in_link where hash = ${hashOf(code)}
    `.execute(platform.system)
    const workspace = rows[0]?.workspace
    if (workspace === undefined) throw identityFailure('sign_in_link_invalid', 'This sign-in link is unknown')
    const session = await platform.run(contract.redeemSignInLink, {
      actor: systemActor(workspace),
      input: { code },
    })
    return reply
      .header('set-cookie', `pave_session=${session.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200`)
      .send({ signedIn: true })
  })
  app.delete('/console/session', async (_request, reply) =>
    reply.header('set-cookie', 'pave_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0').send({ signedIn: false }),
  )
}
