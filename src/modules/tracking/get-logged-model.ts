import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { describeLoggedModel, requireLoggedModel } from './describe-logged-models.ts'

export const getLoggedModel = handle(contract.getLoggedModel, async (ctx, { loggedModel }) =>
  describeLoggedModel(ctx.db, await requireLoggedModel(ctx.db, loggedModel)),
)
