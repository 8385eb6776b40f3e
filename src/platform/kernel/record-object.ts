import { handle } from '../context.ts'
import * as contract from './contract.ts'

export const recordObject = handle(contract.recordObject, async (ctx, { digest, size }) => {
  ctx.entry.subject('object', digest)
  ctx.entry.facts({ size })
  return { digest, size }
})
