import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { insertAssessment } from './insert-assessment.ts'
import { requireTrace } from './tables.ts'

export const createAssessment = handle(contract.createAssessment, async (ctx, { trace, createdAt, ...content }) => {
  await requireTrace(ctx.db, trace)
  const made = await insertAssessment(ctx, trace, { ...content, ...(createdAt !== undefined && { createdAt }) })
  ctx.entry.subject('assessment', made.assessment)
  ctx.entry.subject('trace', trace)
  ctx.entry.facts({ kind: content.kind, source: content.source.type })
  return made
})
