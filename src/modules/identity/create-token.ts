import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { storeToken } from './store-token.ts'
import { principalByName } from './tables.ts'

export const createToken = handle(contract.createToken, async (ctx, { principal, name, expiresIn, endpoints }) => {
  const { id } = await principalByName(ctx, principal)
  return storeToken(ctx, { principal: id, name, expiresIn, endpoints, run: null })
})
