import { sql } from 'kysely'
import { speaksForNode } from '#platform/actor.ts'
import { handle } from '#platform/context.ts'
import { platformFailure } from '#platform/errors.ts'
import * as contract from './contract.ts'

export const reportNodeStatus = handle(
  contract.reportNodeStatus,
  async (ctx, { node, environment, generation, failed, overrides }) => {
    if (!speaksForNode(ctx.actor, node)) {
      throw platformFailure('permission_denied', `${ctx.actor.name} may not report the status of the node ${node}`)
    }
    await sql`
    insert into releases.node (workspace, node, environment, generation, failed, overrides, applied_at, reported_at)
    values (${ctx.workspace}, ${node}, ${environment}, ${generation}, ${JSON.stringify(failed)}::jsonb,
            ${JSON.stringify(overrides)}::jsonb, ${ctx.clock.iso()}, ${ctx.clock.iso()})
    on conflict (workspace, node) do update
      set environment = excluded.environment, generation = excluded.generation, failed = excluded.failed,
          overrides = excluded.overrides,
          reported_at = excluded.reported_at,
          applied_at = case when releases.node.generation = excluded.generation then releases.node.applied_at else excluded.applied_at end
  `.execute(ctx.db)
    ctx.entry.subject('node', node)
    ctx.entry.facts({ environment, generation, failed, overrides })
    for (const { endpoint } of overrides) ctx.entry.subject('endpoint', `${environment}/${endpoint}`)
    return { accepted: true as const }
  },
)
