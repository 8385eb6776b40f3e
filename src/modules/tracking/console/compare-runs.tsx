import { Anchor, Stack, Tabs, Text } from '@mantine/core'
import { useMemo } from 'react'
import { z } from 'zod'
import { counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { CompareCurves } from './compare-curves.tsx'
import { CompareImportance } from './compare-importance.tsx'
import { CompareOrigin } from './compare-origin.tsx'
import { CompareParallel } from './compare-parallel.tsx'
import { CompareScatter } from './compare-scatter.tsx'
import { CompareValues } from './compare-values.tsx'
import { useComparedRuns } from './compared-runs.ts'

const PageState = z.object({
  tab: z.string().optional().catch(undefined),
  search: z.string().optional().catch(undefined),
  filter: z.string().max(10_000).optional().catch(undefined),
  order: z.string().catch(''),
  compare: z.string().catch(''),
  chart: z.string().catch(''),
})

const charts = {
  curves: 'Curves',
  values: 'Side by side',
  parallel: 'Parallel coordinates',
  scatter: 'Scatter',
  importance: 'Importance',
  origin: 'Code and environment',
}

/** So many curves can be told apart. */
const mostCurves = 20

/** Runs beside each other: those that were ticked, else those that the search finds. */
export function CompareRuns({ experiment }: { experiment: string }) {
  const [{ search, filter, order, compare, chart }, change] = usePageState(PageState)
  const chosen = useMemo(() => (compare === '' ? [] : compare.split(',')), [compare])
  const { runs, error, total } = useComparedRuns({ experiment, search, filter, order }, chosen)
  const curves = useMemo(() => (runs ?? []).slice(0, mostCurves), [runs])
  if (runs === undefined || error !== null) return <Pending data={runs} error={error} />
  if (runs.length < 2) {
    return (
      <Panel>
        <Text>
          {runs.length === 0 ? 'There is nothing to compare.' : 'One run alone compares with nothing.'}{' '}
          <Anchor component="button" type="button" inherit onClick={() => change({ tab: undefined })}>
            Tick runs in the table
          </Anchor>
          , or search for some.
        </Text>
      </Panel>
    )
  }
  const names = Object.keys(charts)
  return (
    <Stack>
      <Text size="sm" c="dimmed" role="status">
        {chosen.length > 0
          ? `${counted(runs.length, 'run')} that were ticked.`
          : runs.length < total
            ? `The first ${runs.length} of ${counted(total, 'run')} that are found, in the order of the table.`
            : `All ${counted(runs.length, 'run')} that are found.`}
      </Text>
      <Tabs
        variant="pills"
        value={names.includes(chart) ? chart : 'curves'}
        onChange={(name) => change({ chart: name ?? undefined })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          {Object.entries(charts).map(([name, title]) => (
            <Tabs.Tab key={name} value={name}>
              {title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="curves">
          <CompareCurves runs={curves} />
        </Tabs.Panel>
        <Tabs.Panel value="values">
          <CompareValues runs={runs} />
        </Tabs.Panel>
        <Tabs.Panel value="parallel">
          <CompareParallel runs={runs} />
        </Tabs.Panel>
        <Tabs.Panel value="scatter">
          <CompareScatter runs={runs} />
        </Tabs.Panel>
        <Tabs.Panel value="importance">
          <CompareImportance runs={runs} />
        </Tabs.Panel>
        <Tabs.Panel value="origin">
          <CompareOrigin runs={runs} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  )
}
