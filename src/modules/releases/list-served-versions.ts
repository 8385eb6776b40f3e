import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import type { OutputOf } from '#platform/operation.ts'
import * as contract from './contract.ts'

type Served = OutputOf<typeof contract.listServedVersions>['items'][number]

/** The version that an endpoint settled on has what the one under way leaves it. */
export const listServedVersions = handle(contract.listServedVersions, async (ctx, { models }) => {
  const { rows } = await sql<Served>`
    with served as (
      select e.environment, e.name, e.spec ->> 'model' as model, e.version, e.release,
             r.version as candidate, r.id as candidate_release, r.state,
             case when r.state = 'canary' then r.weight else 0 end as share
      from releases.endpoint e
      left join releases.release r on r.workspace = e.workspace and r.environment = e.environment
        and r.endpoint = e.name and r.state in ('shadow', 'canary')
      where e.spec ->> 'model' = any(${models}::text[])
    )
    select model, version, environment, name as endpoint, 'primary' as variant, 10000 - share as weight, release
    from served where version is not null
    union all
    select model, candidate, environment, name, case state when 'shadow' then 'shadow' else 'canary' end, share, candidate_release
    from served where candidate is not null
    order by environment, endpoint, weight desc
  `.execute(ctx.db)
  return { items: rows }
})
