import { Skeleton } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { ChartProps } from './chart-canvas.tsx'

// The charting library is larger than the rest of the console, and only some pages draw.
const ChartCanvas = lazy(() => import('./chart-canvas.tsx').then((module) => ({ default: module.ChartCanvas })))

/** A picture of numbers. */
export function Chart(props: ChartProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 240} />}>
      <ChartCanvas {...props} />
    </Suspense>
  )
}
