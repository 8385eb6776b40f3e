import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { findView } from './queries.ts'

export const registerMaterialization = handle(contract.registerMaterialization, async (ctx, { dataset, views }) => {
  ctx.entry.input('dataset-version', dataset)
  for (const { view } of views) {
    const row = await findView(ctx.db, view)
    if (row === undefined) continue
    ctx.entry.subject('feature-view', `${view}@${row.version}`)
    ctx.entry.output('feature-view', `${view}@${row.version}`)
  }
  ctx.entry.facts({ dataset, views })
  return { registered: true }
})
