import { sql } from 'kysely'
import type { Actor, Grant } from '#platform/actor.ts'
import type { Platform } from '#platform/platform.ts'
import type { Role } from './contract.ts'
import { grantOf } from './roles.ts'
import { hashOf } from './tokens.ts'

const keepMs = 2_000
const most = 10_000

/** Answers of the last two seconds: a revocation is felt at once in this process and within this time in others. */
const known = new Map<string, { actor: Actor; until: number }>()

/** Rises with each change, so that an answer that was read before it is not remembered after it. */
let era = 0

export function forgetAll(): void {
  era += 1
  known.clear()
}

/** The grants of an actor's role bindings now. */
export async function currentGrants(platform: Platform, actor: Actor): Promise<readonly Grant[]> {
  if (actor.kind === 'system') return actor.grants
  const { rows } = await sql<{ role: Role; scope: Record<string, string> }>`
    select role, scope from identity.role_binding where workspace = ${actor.workspace} and principal = ${actor.id}
  `.execute(platform.system)
  return rows.map(({ role, scope }) => grantOf(role, scope))
}

/** The actor behind a token, with the grants of its role bindings; undefined when it is unknown, expired or revoked. */
export async function authenticate(platform: Platform, token: string): Promise<Actor | undefined> {
  if (!token.startsWith('pave_') || token.length > 200) return undefined
  const hash = hashOf(token)
  const now = platform.clock.now()
  const remembered = known.get(hash)
  if (remembered !== undefined && remembered.until > now) return remembered.actor
  const asked = era
  const { rows } = await sql<{
    id: string
    workspace: string
    principal: string
    kind: Actor['kind']
    name: string
    run: string | null
    bindings: Array<{ role: Role; scope: Record<string, string> }>
  }>`
    select t.id, t.workspace, t.principal, p.kind, p.name, t.run,
           coalesce((select jsonb_agg(jsonb_build_object('role', b.role, 'scope', b.scope))
                     from identity.role_binding b
                     where b.workspace = t.workspace and b.principal = t.principal), '[]') as bindings
    from identity.token t
    join identity.principal p on p.workspace = t.workspace and p.id = t.principal
    where t.hash = ${hash} and t.revoked_at is null and (t.expires_at is null or t.expires_at > ${platform.clock.iso()})
  `.execute(platform.system)
  const row = rows[0]
  if (row === undefined) {
    known.delete(hash)
    return undefined
  }
  const actor: Actor = {
    kind: row.kind,
    id: row.principal,
    name: row.name,
    workspace: row.workspace,
    grants: row.bindings.map((binding) => grantOf(binding.role, binding.scope)),
    token: row.id,
  }
  if (known.size >= most) known.clear()
  if (asked === era) known.set(hash, { actor, until: now + keepMs })
  return actor
}
