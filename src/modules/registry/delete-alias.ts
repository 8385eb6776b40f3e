import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { moveAlias } from './move-alias.ts'
import { registryFailure } from './tables.ts'

export const deleteAlias = handle(contract.deleteAlias, async (ctx, { model, alias, from, reason }) => {
  const before = await moveAlias(ctx, { model, alias, to: null, from, reason })
  if (before.from === null) throw registryFailure('version_not_found', `The model ${model} has no alias ${alias}`)
  return { removed: true }
})
