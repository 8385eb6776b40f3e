import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { enterVersion } from './enter-version.ts'

export const registerVersion = handle(contract.registerVersion, (ctx, { model, tags, ...given }) =>
  enterVersion(ctx, {
    model,
    tags,
    content: { ...given, output: given.output ?? given.signature.outputs[0]?.name ?? '' },
  }),
)
