import { type Bundle, pickFromBundle } from '#platform/compute/bundle.ts'
import type { Drive } from './drive.ts'
import { type PlannedStep, planSteps } from './plan-steps.ts'
import { cacheKey, type Recipe } from './recipe.ts'

/** An environment as it is declared; it may be on this machine already or not. */
export interface DeclaredEnvironment {
  maker: PlannedStep
  /** What its command finds. */
  code: Bundle
  recipe: Recipe
  key: string
}

/** The environment that a step makes or runs in. */
export async function environmentOf(drive: Drive, { step }: PlannedStep): Promise<DeclaredEnvironment | undefined> {
  const name = step.makes === undefined ? step.environment : step.name
  const maker = planSteps(drive.run.spec).find((one) => one.name === name)
  if (maker === undefined || maker.work.kind !== 'command') return undefined
  const { files = [] } = maker.step
  const code = pickFromBundle(await drive.code(), files)
  const recipe = { environment: maker.work.command, code: code.digest, params: paramsOf(drive, maker) }
  return { maker, code, recipe, key: cacheKey(recipe) }
}

/** The params of the run that a step sees. */
export function paramsOf({ run }: Drive, { step }: PlannedStep): Drive['run']['params'] {
  return Object.fromEntries(
    step.params.flatMap((name) => {
      const value = run.params[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
