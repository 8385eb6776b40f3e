import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'

export const reportNodeStatus = handle(
  contract.reportNodeStatus,
  async (ctx, { node, environment, generation, failed, overrides }) => {
    await sql`
    insert into releases.node (workspace, node, environment, generation, failed, applied_at, reported_at)
    values (${ctx.workspace}, ${node}, ${environment}, ${generation}, ${JSON.stringify(failed)}::jsonb, ${ctx.clock.iso()}, ${ctx.clock.iso()})
    on conflict (workspace, node) do update
      set environment = excluded.environment, generation = excluded.generation, failed = excluded.failed,
          reported_at = excluded.reported_at,
          applied_at = case when releases.node.generation = excluded.generation then releases.node.applied_at else excluded.applied_at end
  `.execute(ctx.db)
    ctx.entry.subject('node', node)
    ctx.entry.facts({ environment, generation, failed, overrides })
    for (const { endpoint } of overrides) ctx.entry.subject('endpoint', `${environment}/${endpoint}`)
    return { accepted: true as const }
  },
)
