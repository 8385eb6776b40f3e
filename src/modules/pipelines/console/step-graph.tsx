import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { StepGraphProps } from './step-graph-canvas.tsx'

// The library that lays graphs out comes with the first graph.
const StepGraphCanvas = lazy(() =>
  import('./step-graph-canvas.tsx').then((module) => ({ default: module.StepGraphCanvas })),
)

/** The steps of a pipeline as the graph that they are. */
export function StepGraph(props: StepGraphProps) {
  return (
    <Suspense fallback={<Skeleton height={120} />}>
      <StepGraphCanvas {...props} />
    </Suspense>
  )
}
