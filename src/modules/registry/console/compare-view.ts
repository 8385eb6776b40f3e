import type { Version } from '../contract.ts'

/** The versions that an address asks for: numbers of one model, each once, as many as fit side by side. */
export function versionsOf(text: string): number[] {
  const numbers = text
    .split(',')
    .filter((part) => /^\d{1,9}$/.test(part))
    .map(Number)
  return [...new Set(numbers)].filter((number) => number > 0).slice(0, 6)
}

export interface ComparedRow {
  name: string
  /** One text for each version; null where it has none. */
  values: (string | null)[]
  same: boolean
}

type Tensor = Version['signature']['inputs'][number]

/** The tensors of each version by role and name, beside each other. */
export function comparedSignatures(versions: readonly Version[]): ComparedRow[] {
  const tensors = versions.map(
    ({ signature: { inputs, outputs } }) =>
      new Map([
        ...inputs.map((tensor) => [`input ${tensor.name}`, tensorText(tensor)] as const),
        ...outputs.map((tensor) => [`output ${tensor.name}`, tensorText(tensor)] as const),
      ]),
  )
  return comparedRows(tensors)
}

/** The features of each version with their places: another order is another model. */
export function comparedFeatures(versions: readonly Version[]): ComparedRow[] {
  return comparedRows(
    versions.map(({ features }) => new Map(features.map((name, index) => [name, `column ${index + 1}`]))),
  )
}

/** What each version was made from. */
export function comparedOrigins(versions: readonly Version[]): ComparedRow[] {
  return comparedRows(
    versions.map(
      (version) =>
        new Map(
          [
            ['Data', version.datasets.join(', ')],
            ['Training set', version.trainingSet],
            ['Code', version.code],
            ['Graph', version.artifact],
            ['Feature service', version.featureService],
            ['Baseline', version.baseline?.name],
          ].flatMap(([name, value]) => (name && value ? [[name, value] as const] : [])),
        ),
    ),
  )
}

/** Rows of what has a value for each version, in the order in which names first appear. */
export function comparedRows(of: readonly ReadonlyMap<string, string>[]): ComparedRow[] {
  const names = [...new Set(of.flatMap((one) => [...one.keys()]))]
  return names.map((name) => {
    const values = of.map((one) => one.get(name) ?? null)
    return { name, values, same: new Set(values).size === 1 }
  })
}

const tensorText = ({ datatype, shape }: Tensor): string =>
  `${datatype} [${shape.map((size) => (size === -1 ? 'any' : size)).join(', ')}]`
