import { sql } from 'kysely'
import { compiledService } from '#modules/feature-store/queries.ts'
import { modelSpec } from '#modules/registry/queries.ts'
import { handle } from '#platform/context.ts'
import { publishServingPlan } from './build-plan.ts'
import * as contract from './contract.ts'
import { describeEndpoint } from './describe-endpoint.ts'
import { strategyProblem } from './strategy.ts'
import { type EndpointRow, releasesFailure } from './tables.ts'

export const putEndpoint = handle(contract.putEndpoint, async (ctx, { environment, endpoint, spec }) => {
  const problem = strategyProblem(spec.strategy)
  if (problem !== undefined) throw releasesFailure('strategy_invalid', `Endpoint ${endpoint}: ${problem}`)
  await modelSpec(ctx.db, spec.model)
  if (spec.featureService !== null) await compiledService(ctx.db, spec.featureService)
  const before = await sql<{ spec: contract.EndpointSpec }>`
    select spec from releases.endpoint where environment = ${environment} and name = ${endpoint} for update
  `.execute(ctx.db)
  ctx.requireMatch(before.rows[0]?.spec)
  const { rows } = await sql<EndpointRow>`
    insert into releases.endpoint (workspace, environment, name, spec, salt, created_at)
    values (${ctx.workspace}, ${environment}, ${endpoint}, ${JSON.stringify(spec)}::jsonb, ${ctx.ids.secret(12)}, ${ctx.clock.iso()})
    on conflict (workspace, environment, name) do update set spec = excluded.spec
    returning environment, name, spec, salt, version, release
  `.execute(ctx.db)
  const [row] = rows
  if (row === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('endpoint', `${environment}/${endpoint}`)
  if (before.rows[0] !== undefined) ctx.entry.before(before.rows[0].spec)
  ctx.entry.after(spec)
  await publishServingPlan(ctx, environment)
  return describeEndpoint(ctx.db, row)
})
