import { Box } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMemo } from 'react'
import { layoutGraph } from '../../../console/design/graph-layout.ts'
import type { FollowedStep, PlannedStep } from '../contract.ts'
import styles from './step-graph.module.css'

export interface StepGraphProps {
  steps: readonly (PlannedStep & Partial<Pick<FollowedStep, 'state' | 'cache'>>)[]
  selected?: string | undefined
  onSelect?: (step: string) => void
}

const width = 168
const height = 44

export function StepGraphCanvas({ steps, selected, onSelect }: StepGraphProps) {
  const narrow = useMediaQuery('(max-width: 40em)')
  // States change often; the places change with the names and needs alone.
  const shape = JSON.stringify(steps.map(({ step, needs }) => [step, needs]))
  const graph = useMemo(() => {
    const named: [string, string[]][] = JSON.parse(shape)
    return layoutGraph({
      nodes: named.map(([step]) => step),
      edges: named.flatMap(([step, needs]) => needs.map((need) => ({ from: need, to: step }))),
      box: { width, height },
      direction: narrow === true ? 'TB' : 'LR',
    })
  }, [shape, narrow])
  return (
    <Box component="section" className={styles.frame} aria-label="Graph of the steps" tabIndex={0}>
      <div className={styles.canvas} style={{ width: graph.width, height: graph.height }}>
        <svg width={graph.width} height={graph.height} aria-hidden="true">
          {graph.edges.map(({ key, path }) => (
            <path key={key} d={path} className={styles.edge} />
          ))}
        </svg>
        {steps.map((step) => {
          const at = graph.places.get(step.step)
          const state = step.state ?? 'declared'
          const note = step.cache?.hit === true ? 'from the cache' : (step.state ?? step.kind)
          return (
            <button
              key={step.step}
              type="button"
              className={styles.step}
              data-state={state}
              data-cached={step.cache?.hit === true || undefined}
              aria-pressed={onSelect === undefined ? undefined : selected === step.step}
              title={step.needs.length === 0 ? step.step : `${step.step}, after ${step.needs.join(', ')}`}
              style={{ left: (at?.x ?? 0) - width / 2, top: (at?.y ?? 0) - height / 2, width, height }}
              onClick={() => onSelect?.(step.step)}
            >
              <span>{step.step}</span>
              <small>{note}</small>
            </button>
          )
        })}
      </div>
    </Box>
  )
}
