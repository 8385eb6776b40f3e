import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { moveAlias } from './move-alias.ts'
import { registryFailure } from './tables.ts'

export const setAlias = handle(contract.setAlias, async (ctx, { model, alias, version, from, reason }) => {
  if (/^v?\d+$/.test(alias) || alias === 'latest') {
    throw registryFailure('alias_reserved', `${alias} cannot be an alias: it reads as a version`)
  }
  await moveAlias(ctx, { model, alias, to: version, from, reason })
  return { model, alias, version }
})
