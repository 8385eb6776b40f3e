import { graphlib, layout } from '@dagrejs/dagre'
import { useMediaQuery } from '@mantine/hooks'
import { useMemo } from 'react'
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
  const shape = steps.map(({ step, needs }) => `${step}<${needs.join('+')}`).join(' ')
  // biome-ignore lint/correctness/useExhaustiveDependencies: states change often, places only with the shape
  const graph = useMemo(() => place(steps, narrow === true ? 'TB' : 'LR'), [shape, narrow])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={styles.frame} aria-label="Graph of the steps" tabIndex={0}>
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
    </section>
  )
}

interface Point {
  x: number
  y: number
}

interface Placed {
  width: number
  height: number
  places: Map<string, Point>
  edges: { key: string; path: string }[]
}

/** The library's own types do not resolve here; these are what it answers. */
function place(steps: readonly PlannedStep[], rankdir: 'LR' | 'TB'): Placed {
  const graph = new graphlib.Graph()
  graph.setGraph({ rankdir, nodesep: 14, ranksep: 36, marginx: 2, marginy: 2 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { step } of steps) graph.setNode(step, { width, height })
  for (const { step, needs } of steps) for (const need of needs) graph.setEdge(need, step)
  layout(graph)
  const size: { width: number; height: number } = graph.graph()
  const pairs: { v: string; w: string }[] = graph.edges()
  return {
    width: size.width,
    height: size.height,
    places: new Map(steps.map(({ step }) => [step, graph.node(step)])),
    edges: pairs.map((pair) => ({ key: `${pair.v} ${pair.w}`, path: curve(graph.edge(pair).points) })),
  }
}

function curve(points: readonly Point[]): string {
  const [first, ...rest] = points
  const last = rest.at(-1)
  if (first === undefined || last === undefined) return ''
  const inner = rest.slice(0, -1).map(({ x, y }, index) => {
    const next = rest[index + 1] ?? last
    return `Q ${x} ${y} ${(x + next.x) / 2} ${(y + next.y) / 2}`
  })
  return `M ${first.x} ${first.y} ${inner.join(' ')} L ${last.x} ${last.y}`
}
