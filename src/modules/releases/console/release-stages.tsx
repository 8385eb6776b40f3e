import { percentOfBasisPoints } from '../../../console/design/format.ts'
import type { Tone } from '../../../console/design/state.tsx'
import type { Release } from '../contract.ts'
import styles from './release-stages.module.css'
import { type Stage, stagesOf } from './release-view.ts'

export const releaseTones: Record<Release['state'], Tone> = {
  shadow: 'busy',
  canary: 'busy',
  completed: 'good',
  'rolled-back': 'bad',
}

/** The way of a release through its strategy, with where it is. */
export function ReleaseStages({ release }: { release: Release }) {
  return (
    <ol className={styles.stages} aria-label="Stages">
      {stagesOf(release).map((stage) => (
        <li key={stage.name} data-state={stage.state} aria-current={stage.state === 'current' ? 'step' : undefined}>
          {nameOf(stage)}
        </li>
      ))}
    </ol>
  )
}

function nameOf({ name }: Stage): string {
  if (name === 'all') return 'all traffic'
  return name === 'shadow' ? name : percentOfBasisPoints(name)
}

/** `shadow`, `20 %`, `all traffic`, `rolled back`. */
export function stageOf({ state, weight }: { state: Release['state']; weight: number }): string {
  if (state === 'completed') return 'all traffic'
  return state === 'canary' ? percentOfBasisPoints(weight) : state.replace('-', ' ')
}
