import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { runWithSteps } from './queries.ts'

export const getRun = handle(contract.getRun, (ctx, { run }) => runWithSteps(ctx.db, run))
