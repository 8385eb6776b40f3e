import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import { compileService } from './compile-service.ts'
import * as contract from './contract.ts'
import { findService, viewsOf } from './queries.ts'

export const putFeatureService = handle(contract.putFeatureService, async (ctx, { featureService, spec }) => {
  const before = await findService(ctx.db, featureService)
  ctx.requireMatch(before?.spec)
  const { features } = compileService(featureService, spec, await viewsOf(ctx.db, spec))
  const { rows } = await sql<{ created_at: string }>`
    insert into feature_store.service (workspace, name, spec, created_at)
    values (${ctx.workspace}, ${featureService}, ${JSON.stringify(spec)}::json, ${ctx.clock.iso()})
    on conflict (workspace, name) do update set spec = excluded.spec
    returning created_at
  `.execute(ctx.db)
  ctx.entry.subject('feature-service', featureService)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ features })
  return { featureService, spec, features, createdAt: rows[0]?.created_at ?? ctx.clock.iso() }
})
