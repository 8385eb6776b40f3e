import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { enterVersion } from './enter-version.ts'

/** Equal content under two numbers is two versions in other registries, so the number is part of what it is. */
const numberProperty = 'pave.import.version'

export const importVersion = handle(contract.importVersion, async (ctx, input) => {
  const { model, tags, number, registeredAt, stage, ...given } = input
  const properties = { ...given.properties, [numberProperty]: String(number) }
  const content = { ...given, properties, output: given.output ?? given.signature.outputs[0]?.name ?? '' }
  const version = await enterVersion(ctx, { model, tags, content, number, registeredAt })
  if (version.stage === stage) return version
  return ctx.call(contract.updateVersion, { version: version.ref, stage })
})
