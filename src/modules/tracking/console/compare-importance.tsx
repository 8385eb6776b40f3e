import { Group, Text } from '@mantine/core'
import { useMemo } from 'react'
import { z } from 'zod'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { percent } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import type { TrackingRun } from '../contract.ts'
import { ColumnSelect, chosenColumn } from './column-select.tsx'
import styles from './compare-importance.module.css'
import { fewestRuns, type ParamImportance, paramImportance } from './param-importance.ts'
import { varyingColumns } from './run-axes.ts'

const PageState = z.object({ target: z.string().optional().catch(undefined) })

/** Which params a metric hangs on, and how sure one may be of that. */
export function CompareImportance({ runs }: { runs: readonly TrackingRun[] }) {
  const [{ target }, change] = usePageState(PageState)
  const metrics = useMemo(() => varyingColumns(runs).filter(({ field }) => field === 'metric'), [runs])
  const metric = chosenColumn(target, metrics, metrics[0])
  const found = useMemo(() => (metric === undefined ? [] : paramImportance(runs, metric.key)), [runs, metric])
  return (
    <Panel>
      <Section title="Parameter importance">
        {metric === undefined ? (
          <Text size="sm">No metric differs between these runs.</Text>
        ) : (
          <>
            <Group mb="sm">
              <ColumnSelect label="Of" columns={metrics} value={metric} onChange={(name) => change({ target: name })} />
            </Group>
            {found.length === 0 ? (
              <Text size="sm">
                It takes {fewestRuns} runs that have the metric and differ in a param; more runs tell more.
              </Text>
            ) : (
              <DataTable label="Parameter importance" columns={columns} rows={found} rowKey={({ key }) => key} />
            )}
            <Text size="sm" c="dimmed" mt="sm">
              The share is epsilon squared of Kruskal and Wallis: how much of the variance of the metric’s ranks lies
              between runs with different values of the param (numbers in up to six bins of equally many runs); chance
              alone leaves it at 0. Its 95 % interval is the jackknife’s. The direction is Spearman’s rank correlation
              with the interval of Bonett and Wright. Each param is taken by itself: what two do together is not seen,
              and params that were varied together share the credit.
            </Text>
          </>
        )}
      </Section>
    </Panel>
  )
}

const columns: Column<ParamImportance>[] = [
  { title: 'Param', wrap: true, cell: ({ key }) => <strong style={{ overflowWrap: 'anywhere' }}>{key}</strong> },
  {
    title: 'Share',
    cell: ({ share, interval: [low, high] }) => (
      <span className={styles.share}>
        <span className={styles.bar} aria-hidden="true">
          <span style={{ width: `${share * 100}%` }} />
          <i style={{ left: `${low * 100}%`, width: `${(high - low) * 100}%` }} />
        </span>
        {percent(Number(share.toFixed(3)))}
      </span>
    ),
  },
  {
    title: '95 % interval',
    number: true,
    cell: ({ interval: [low, high] }) => `${percent(Number(low.toFixed(3)))} – ${percent(Number(high.toFixed(3)))}`,
  },
  {
    title: 'Direction',
    cell: ({ correlation }) =>
      correlation === undefined ? (
        <Text span size="sm" c="dimmed">
          not a number
        </Text>
      ) : (
        `${signed(correlation.rho)} (${correlation.interval.map(signed).join(' to ')})`
      ),
  },
  { title: 'Runs', number: true, cell: ({ runs }) => runs },
]

const signed = (rho: number): string => `${rho < 0 ? '−' : '+'}${Math.abs(rho).toFixed(2)}`
