import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { modelSpec, versionPage } from './queries.ts'

export const listVersions = handle(contract.listVersions, async (ctx, input) => {
  await modelSpec(ctx.db, input.model)
  return versionPage(ctx.db, input)
})
