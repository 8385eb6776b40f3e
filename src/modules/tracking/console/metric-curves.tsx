import { Button, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { read } from '../../../console/api.ts'
import { Chart } from '../../../console/design/chart.tsx'
import { counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { type LoggedPoint, sampleMetric, type TrackingRun } from '../contract.ts'
import { curveOf, isSystemMetric, metricText } from './run-columns.ts'

const pageSize = 12
/** More than a chart of this width can show. */
const mostPoints = 500

/** Every metric of a run with its history; those of the machine by themselves. */
export function MetricCurves({ run: { run, metrics } }: { run: TrackingRun }) {
  const system = metrics.filter(({ key }) => isSystemMetric(key))
  return (
    <Stack>
      <Curves title="Metrics" run={run} metrics={metrics.filter(({ key }) => !isSystemMetric(key))} />
      {system.length > 0 && <Curves title="System metrics" run={run} metrics={system} />}
    </Stack>
  )
}

interface CurvesProps {
  title: string
  run: string
  metrics: TrackingRun['metrics']
}

function Curves({ title, run, metrics }: CurvesProps) {
  const [search, setSearch] = useState('')
  const [shown, setShown] = useState(pageSize)
  const found = metrics.filter(({ key }) => key.toLowerCase().includes(search.toLowerCase()))
  return (
    <Panel>
      <Section
        title={title}
        aside={
          metrics.length > pageSize && (
            <TextInput
              type="search"
              size="xs"
              aria-label="Search metrics"
              placeholder="Search metrics"
              value={search}
              onChange={(event) => setSearch(event.currentTarget.value)}
            />
          )
        }
      >
        {metrics.length === 0 && (
          <Text size="sm" c="dimmed">
            None were logged: mlflow.log_metric('auc', 0.75) does.
          </Text>
        )}
        <Stack gap="sm">
          <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="lg">
            {found.slice(0, shown).map((latest) => (
              <MetricCurve key={latest.key} run={run} latest={latest} />
            ))}
          </SimpleGrid>
          {found.length > shown && (
            <Button
              variant="default"
              size="xs"
              onClick={() => setShown(shown + pageSize)}
              style={{ alignSelf: 'start' }}
            >
              Show more of {counted(found.length, 'metric')}
            </Button>
          )}
        </Stack>
      </Section>
    </Panel>
  )
}

function MetricCurve({ run, latest }: { run: string; latest: LoggedPoint }) {
  const { data } = useQuery(
    read(sampleMetric, { runs: [run], key: latest.key, points: mostPoints }, ['run', 'tracking-run']),
  )
  const [series] = data?.series ?? []
  const points = series?.points
  const total = series?.total ?? 0
  const option = useMemo(
    () => ({
      tooltip: { show: false },
      grid: { left: 4, right: 12, top: 8, bottom: 4, containLabel: true },
      xAxis: { type: 'value', minInterval: 1, splitLine: { show: false }, axisLabel: { hideOverlap: true } },
      yAxis: { type: 'value', scale: true, splitNumber: 3 },
      series: [{ type: 'line', showSymbol: false, data: curveOf(points ?? []) }],
    }),
    [points],
  )
  return (
    <div style={{ minWidth: 0 }}>
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        <strong>{latest.key}</strong> {metricText(latest.value)}
      </Text>
      {points !== undefined && points.length > 1 && (
        <Chart
          height={130}
          label={`${latest.key} over ${counted(total, 'point')}, from ${points[0]?.value} to ${points.at(-1)?.value}`}
          option={option}
        />
      )}
      <Text size="xs" c="dimmed">
        {points === undefined
          ? 'Reading …'
          : total === 1
            ? 'one point'
            : `${counted(total, 'point')}, last at step ${latest.step}`}
      </Text>
    </div>
  )
}
