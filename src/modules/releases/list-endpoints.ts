import { handle } from '#platform/context.ts'
import { pageFrom } from '#platform/names.ts'
import * as contract from './contract.ts'
import { describeEndpoint } from './describe-endpoint.ts'
import { pageOfEndpoints } from './tables.ts'

export const listEndpoints = handle(contract.listEndpoints, async (ctx, input) => {
  const page = pageFrom(
    await pageOfEndpoints(ctx.db, input),
    input.limit,
    (row) => row,
    (row) => [row.environment, row.name],
  )
  const items: contract.Endpoint[] = []
  for (const row of page.items) items.push(await describeEndpoint(ctx.db, row))
  return { items, nextCursor: page.nextCursor }
})
