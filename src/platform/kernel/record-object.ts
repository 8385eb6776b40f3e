import { handle } from '../context.ts'
import { platformFailure } from '../errors.ts'
import * as contract from './contract.ts'

/** Whoever names a digest need not have the bytes: what enters them is the upload, which had them in hand. */
export const recordObject = handle(contract.recordObject, async (ctx, { digest, size }) => {
  if (ctx.actor.kind !== 'system') {
    throw platformFailure('permission_denied', 'Only an upload enters an object in the workspace', {
      hint: 'POST the bytes to /api/v1/objects.',
    })
  }
  ctx.entry.subject('object', digest)
  ctx.entry.facts({ size })
  return { digest, size }
})
