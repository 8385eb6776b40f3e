import { sql } from 'kysely'
import type { OperationContext } from '#platform/context.ts'
import { registryFailure } from './tables.ts'

/**
 * The version that the alias is at, null for none. The model's row is locked until the change is done, so that of two who
 * saw the same state only one moves the alias.
 */
export async function holdAlias(
  ctx: OperationContext,
  model: string,
  alias: string,
  from: number | null | undefined,
): Promise<number | null> {
  await sql`update registry.model set changed_at = ${ctx.clock.iso()} where name = ${model}`.execute(ctx.db)
  const { rows } = await sql<{ version: number }>`
    select version from registry.alias where model = ${model} and alias = ${alias}
  `.execute(ctx.db)
  const now = rows[0]?.version ?? null
  if (from === undefined || from === now) return now
  const where = (version: number | null) => (version === null ? 'at no version' : `at version ${version}`)
  throw registryFailure('alias_moved', `${alias} is ${where(now)}, and no longer ${where(from)}`, {
    details: { version: now },
  })
}
