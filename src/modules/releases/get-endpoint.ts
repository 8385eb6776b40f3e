import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeEndpoint } from './describe-endpoint.ts'
import { findEndpoint } from './tables.ts'

export const getEndpoint = handle(contract.getEndpoint, async (ctx, { environment, endpoint }) =>
  describeEndpoint(ctx.db, await findEndpoint(ctx.db, environment, endpoint)),
)
