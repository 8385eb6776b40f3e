import { SegmentedControl, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useMemo } from 'react'
import { predictionHistory, realisedPerformance } from '#modules/predictions/contract.ts'
import { read } from '../../../console/api.ts'
import { Chart } from '../../../console/design/chart.tsx'
import { counted, milliseconds, score } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import type { Endpoint } from '../contract.ts'
import styles from './endpoint.module.css'
import { type HistoryItem, linesOption, performanceOption, requestsOption, versionsOf } from './traffic-charts-view.ts'

type Every = 'hour' | 'day'
const last: Record<Every, number> = { hour: 72, day: 120 }
const none: HistoryItem[] = []

interface TrafficChartsProps {
  endpoint: Endpoint
  every: Every
  onEvery(every: Every): void
}

/** What an endpoint answered over time: how much of it which version, how fast, with what scores. */
export function TrafficCharts({ endpoint: { environment, endpoint, spec }, every, onEvery }: TrafficChartsProps) {
  const { data, error, isPending } = useQuery(
    read(predictionHistory, { environment, endpoint, every, last: last[every] }, ['endpoint']),
  )
  const items = data?.items ?? none
  const limit = spec.strategy.guardrails.latencyP99Ms
  const requests = useMemo(() => requestsOption(items, every), [items, every])
  const latency = useMemo(
    () =>
      linesOption(
        items,
        'ms',
        (item) => item.latencyMs.p99,
        limit === undefined ? undefined : { name: 'limit', value: limit },
      ),
    [items, limit],
  )
  const scores = useMemo(() => linesOption(items, 'score', (item) => item.meanPrediction), [items])
  const rows = items.reduce((sum, item) => sum + (item.variant === 'shadow' ? 0 : item.rows), 0)
  const slowest = Math.max(0, ...items.map((item) => item.latencyMs.p99 ?? 0))
  const means = items.flatMap((item) => (item.meanPrediction === null ? [] : [item.meanPrediction]))
  return (
    <Panel>
      <Section
        title="Predictions over time"
        aside={
          <SegmentedControl
            size="xs"
            aria-label="Predictions by"
            value={every}
            onChange={(value) => onEvery(value === 'day' ? 'day' : 'hour')}
            data={[
              { value: 'hour', label: 'Hours' },
              { value: 'day', label: 'Days' },
            ]}
          />
        }
      >
        {error && <Problem error={error} />}
        {isPending && <Skeleton height={240} />}
        {data?.watermark === null && <Text c="dimmed">No predictions were recorded yet.</Text>}
        {data !== undefined && data.watermark !== null && (
          <>
            <Text size="sm" c="dimmed" mb="xs">
              The last {counted(last[every], every)} of event time, to <Instant at={data.watermark} />
            </Text>
            <div className={styles.charts}>
              <Picture title="Answered rows">
                <Chart
                  label={`Answered rows by ${every}: ${counted(rows, 'row')} in all, by ${versionsOf(items).join(', ')}`}
                  option={requests}
                  height={200}
                />
              </Picture>
              <Picture title="Latency, p99">
                <Chart
                  label={`Latency, 99th percentile by ${every}: at most ${milliseconds(slowest)}`}
                  option={latency}
                  height={200}
                />
              </Picture>
              {means.length > 0 && (
                <Picture title="Mean score">
                  <Chart
                    label={`Mean score by ${every}: between ${score(Math.min(...means))} and ${score(Math.max(...means))}`}
                    option={scores}
                    height={200}
                  />
                </Picture>
              )}
            </div>
          </>
        )}
      </Section>
    </Panel>
  )
}

function Picture({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <Text size="sm" fw={550}>
        {title}
      </Text>
      {children}
    </div>
  )
}

/** How well the predictions turned out, for those whose outcome is known. */
export function RealisedPerformance({ endpoint: { environment, endpoint } }: { endpoint: Endpoint }) {
  const { data, error } = useQuery(read(realisedPerformance, { environment, endpoint, every: 'week' }, ['endpoint']))
  const items = data?.items
  const option = useMemo(() => performanceOption(items ?? []), [items])
  const measured = (items ?? []).filter((item) => item.auc !== null)
  if (error) return <Problem error={error} />
  if (items === undefined) return <Skeleton height={240} radius="lg" />
  const newest = measured.at(-1)
  return (
    <Panel>
      <Section title="Realised performance by week">
        {newest === undefined && (
          <Text c="dimmed">No outcome of a prediction is known yet, so nothing can be said of how good they were.</Text>
        )}
        {newest !== undefined && (
          <>
            <Text size="sm" c="dimmed" mb="xs">
              {newest.version} in the last week: AUC {score(newest.auc ?? 0)}
              {newest.aucInterval !== null &&
                ` (95 % confidence ${score(newest.aucInterval.low)} – ${score(newest.aucInterval.high)})`}{' '}
              on {counted(newest.labelled, 'labelled row')} of {counted(newest.predictions, 'row')}
            </Text>
            <Chart
              label={`AUC by week with 95 % confidence, ${versionsOf(measured).join(', ')}; last ${score(newest.auc ?? 0)}`}
              option={option}
            />
          </>
        )}
      </Section>
    </Panel>
  )
}
