import type { OperationContext } from '#platform/context.ts'
import { failure } from '#platform/errors.ts'
import { errors } from './contract.ts'

// A type and not an interface: Kysely wants an index signature, which only a type has by itself.
export type IdentityTables = {
  'identity.workspace': { workspace: string; name: string; created_at: string }
  'identity.principal': {
    workspace: string
    id: string
    kind: 'user' | 'service-account' | 'node'
    name: string
    created_at: string
  }
  'identity.role_binding': { workspace: string; id: string; principal: string; role: string; scope: string }
  'identity.token': {
    workspace: string
    id: string
    principal: string
    name: string
    hash: string
    created_at: string
    expires_at: string | null
    revoked_at: string | null
    endpoints: string[]
    run: string | null
    session: boolean
    opened_by: string | null
  }
  'identity.sign_in_link': {
    workspace: string
    hash: string
    principal: string
    expires_at: string
    used_at: string | null
  }
}

export const identityFailure = failure(errors)

export const tablesOf = (ctx: Pick<OperationContext, 'db'>) => ctx.db.withTables<IdentityTables>()

export async function principalByName(ctx: OperationContext, name: string): Promise<{ id: string; name: string }> {
  const row = await tablesOf(ctx)
    .selectFrom('identity.principal')
    .select(['id', 'name'])
    .where('name', '=', name)
    .executeTakeFirst()
  if (row === undefined) throw identityFailure('principal_not_found', `Nobody here is called ${name}`)
  return row
}
