import { sql } from 'kysely'
import { failure } from '#platform/errors.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { errors, type GatePolicySpec } from './contract.ts'
import type { NamedPolicy } from './gates.ts'

export const governanceFailure = failure(errors)

export interface PolicyRow {
  name: string
  spec: GatePolicySpec
  digest: string
  updated_at: string
}

export const policyOf = (row: PolicyRow) => ({
  policy: row.name,
  spec: row.spec,
  digest: row.digest,
  updatedAt: row.updated_at,
})

export async function findPolicy(db: Db, name: string, lock = false): Promise<PolicyRow | undefined> {
  const { rows } = await sql<PolicyRow>`
    select name, spec, digest, updated_at from governance.policy where name = ${name} ${lock ? sql`for update` : sql``}
  `.execute(db)
  return rows[0]
}

export async function allPolicies(db: Db): Promise<NamedPolicy[]> {
  const { rows } =
    await sql<PolicyRow>`select name, spec, digest, updated_at from governance.policy order by name`.execute(db)
  return rows.map((row) => ({ policy: row.name, spec: row.spec, digest: row.digest }))
}
