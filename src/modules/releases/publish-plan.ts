import { handle } from '#platform/context.ts'
import { publishServingPlan } from './build-plan.ts'
import * as contract from './contract.ts'

export const publishPlan = handle(contract.publishPlan, (ctx, { environment }) => publishServingPlan(ctx, environment))
