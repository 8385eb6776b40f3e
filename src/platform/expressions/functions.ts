import { conversions } from './conversions.ts'
import { mathFunctions } from './math-functions.ts'
import { arithmeticOperators, comparisonOperators, logicOperators } from './operators.ts'
import type { Overload } from './overload.ts'
import { textFunctions } from './text-functions.ts'
import { durationFunctions, timeParts } from './time-functions.ts'

/** Every operator and function: its CEL signature, its meaning in process, and the same in SQL where there is one. */
export const overloads: readonly Overload[] = [
  ...arithmeticOperators,
  ...comparisonOperators,
  ...logicOperators,
  ...textFunctions,
  ...conversions,
  ...durationFunctions,
  ...timeParts,
  ...mathFunctions,
]

const overloadsByName = Map.groupBy(overloads, (overload) => overload.name)

/** The names of functions and methods, without the operators'. */
export const functionNames = [
  ...new Set([...overloadsByName.keys()].filter((name) => /[a-z]$/.test(name)).map((name) => name.replace(/^\./, ''))),
  'has',
  'duration',
  'matches',
  'all',
  'exists',
  'filter',
]

/** The meanings that a name has, for messages and for choosing among them. */
export function overloadsOf(name: string): readonly Overload[] {
  return overloadsByName.get(name) ?? []
}

/**
 * The meaning for operands of these kinds. `dyn` parameters take anything, but only where one operand is `dyn`: what is
 * known to differ is an error when declared.
 */
export function chooseOverload(name: string, kinds: readonly string[]): Overload | undefined {
  const candidates = overloadsOf(name).filter((candidate) => candidate.parameters.length === kinds.length)
  const exact = candidates.find((candidate) => candidate.parameters.every((parameter, i) => parameter === kinds[i]))
  if (exact !== undefined || !kinds.includes('dyn')) return exact
  return candidates.find((candidate) => candidate.parameters.every((parameter) => parameter === 'dyn'))
}
