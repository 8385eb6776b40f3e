import { Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { read } from '../../../console/api.ts'
import { Chart } from '../../../console/design/chart.tsx'
import { counted } from '../../../console/design/format.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { listEvaluations, listFindings, type Metric } from '../contract.ts'
import { measured, seriesOf, seriesOption, subjectOf } from './monitor-view.ts'

interface MetricHistoryProps {
  environment: string
  monitor: string
  metric: Pick<Metric, 'kind' | 'feature'>
  /** Newest window to show, in event time. */
  to?: string | undefined
}

/** One metric of a monitor over its evaluations, with the limit that held then, and the times of its findings. */
export function MetricHistory({ environment, monitor, metric, to }: MetricHistoryProps) {
  const { kind } = metric
  const feature = metric.feature ?? undefined
  const evaluations = useQuery(
    read(listEvaluations, { environment, monitor, kind, feature, to, limit: 200 }, ['monitor']),
  )
  const findings = useQuery(read(listFindings, { environment, monitor, kind, feature, limit: 100 }, ['finding']))
  const points = useMemo(
    () => seriesOf(evaluations.data?.items ?? [], { kind, feature: feature ?? null }),
    [evaluations.data, kind, feature],
  )
  const option = useMemo(() => seriesOption(points, kind, findings.data?.items ?? []), [points, kind, findings.data])
  if (evaluations.error) return <Problem error={evaluations.error} />
  if (evaluations.data === undefined) return <Skeleton height={240} />
  const last = points.findLast((point) => point.value !== null)
  if (last?.value == null) {
    return (
      <Text size="sm" c="dimmed">
        No window had enough to say anything of {subjectOf(metric)}.
      </Text>
    )
  }
  const breaches = points.filter((point) => point.breached).length
  return (
    <Chart
      label={`${subjectOf(metric)} over ${counted(points.length, 'window')}: ${measured(kind, last.value)} in the last, beyond its limit in ${breaches}`}
      option={option}
    />
  )
}
