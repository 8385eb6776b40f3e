import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findAssessment } from './tables.ts'

export const getAssessment = handle(contract.getAssessment, (ctx, { trace, assessment }) =>
  findAssessment(ctx.db, trace, assessment),
)
