import { Button, Group, Select, Text } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { z } from 'zod'
import { read } from '../../../console/api.ts'
import { Chart } from '../../../console/design/chart.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { getTrackingRun, listMetricPoints } from '../contract.ts'
import { curveOf } from './run-columns.ts'

const PageState = z.object({
  metric: z.string().max(250).optional().catch(undefined),
  compare: z.string().optional().catch(undefined),
})
const mostPoints = 5_000

/** What queries have answered so far. The same answers are the same list, so a chart is drawn anew only for other ones. */
const answers = <T,>(queries: readonly { data: T | undefined }[]) => queries.map(({ data }) => data)
const arrived = <T,>(queries: readonly { data: T | undefined; isPending: boolean }[]) => ({
  known: queries.flatMap(({ data }) => (data === undefined ? [] : [data])),
  pending: queries.some(({ isPending }) => isPending),
})

/** One metric of a few runs, over its steps. */
export function CompareCurves({ runs }: { runs: readonly string[] }) {
  const [{ metric: chosen }, change] = usePageState(PageState)
  const { known, pending } = useQueries({
    queries: runs.map((run) => read(getTrackingRun, { run }, ['run', 'tracking-run'])),
    combine: arrived,
  })
  const keys = [...new Set(known.flatMap(({ metrics }) => metrics.map(({ key }) => key)))].sort()
  const metric = chosen !== undefined && keys.includes(chosen) ? chosen : keys[0]
  const points = useQueries({
    queries: known.map(({ run }) => ({
      ...read(listMetricPoints, { run, key: metric ?? '', limit: mostPoints }, ['run', 'tracking-run']),
      enabled: metric !== undefined,
    })),
    combine: answers,
  })
  const series = useMemo(
    () => known.map(({ run, name }, index) => ({ run, name, points: points[index]?.items ?? [] })),
    [known, points],
  )
  const option = useMemo(
    () => ({
      legend: { type: 'scroll', left: 0, right: 0 },
      tooltip: { show: false },
      grid: { left: 8, right: 16, top: 36, bottom: 24, containLabel: true },
      xAxis: { type: 'value', name: 'step', nameLocation: 'middle', nameGap: 24, minInterval: 1 },
      yAxis: { type: 'value', scale: true },
      series: series.map((one, index) => ({
        // Two runs may have one name, which a legend would show as one.
        name: series.some((other, at) => at < index && other.name === one.name)
          ? `${one.name} (${index + 1})`
          : one.name,
        type: 'line',
        showSymbol: one.points.length < 2,
        // There are five colours.
        lineStyle: { type: index < 5 ? 'solid' : 'dashed' },
        data: curveOf(one.points),
      })),
    }),
    [series],
  )
  return (
    <Panel>
      <Section
        title="Curves"
        aside={
          <Group gap="xs">
            <Select
              aria-label="Metric"
              size="xs"
              searchable
              allowDeselect={false}
              data={keys}
              value={metric ?? null}
              onChange={(key) => change({ metric: key ?? undefined })}
            />
            <Button size="xs" variant="default" onClick={() => change({ compare: undefined, metric: undefined })}>
              Close
            </Button>
          </Group>
        }
      >
        {metric === undefined ? (
          <Text size="sm" c="dimmed">
            {pending ? 'Reading …' : 'None of the runs logged a metric.'}
          </Text>
        ) : (
          <Chart
            height={300}
            label={`${metric} by step of ${series.map(({ name, points: of }) => `${name}, at last ${of.at(-1)?.value ?? 'unknown'}`).join('; ')}`}
            option={option}
          />
        )}
        {points.some((page) => page?.nextCursor != null) && (
          <Text size="xs" c="dimmed">
            The first {mostPoints.toLocaleString('en')} points of each run.
          </Text>
        )}
      </Section>
    </Panel>
  )
}
