import type { FeatureServiceSpec } from './contract.ts'

/** All feature names of a service in its order. */
export function featureNames({ order, features, onDemand }: FeatureServiceSpec): string[] {
  return order ?? [...features.flatMap((view) => Object.keys(view.features)), ...onDemand.map(({ name }) => name)]
}
