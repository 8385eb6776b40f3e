import type { Experiment } from './contract.ts'

export const defaultExperimentName = 'Default'

/** The experiment `0` as it is before its first run. */
export function defaultExperiment(): Experiment {
  const never = new Date(0).toISOString()
  return {
    experiment: '0',
    name: defaultExperimentName,
    folder: '',
    state: 'active',
    tags: {},
    createdAt: never,
    updatedAt: never,
  }
}
