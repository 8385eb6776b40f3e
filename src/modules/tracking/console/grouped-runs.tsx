import { Anchor, Progress, Text } from '@mantine/core'
import { useEffect, useMemo } from 'react'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { count, counted } from '../../../console/design/format.ts'
import type { TrackingRun } from '../contract.ts'
import { groupRuns, type RunGroup } from './group-runs.ts'
import { columnText, filterFor, metricText, type RunColumn } from './run-columns.ts'

interface GroupedRunsProps {
  list: { runs: TrackingRun[] | undefined; total: number; hasMore: boolean; isFetching: boolean; more: () => void }
  by: RunColumn
  columns: readonly RunColumn[]
  filter: string | undefined
  /** Shows the runs of one group, by the filter that finds them. */
  onShow: (filter: string) => void
}

const mostGrouped = 10_000
const mostGroups = 200

/** The runs with each value of a param or tag: how many they are, and the mean and the reach of their metrics. */
export function GroupedRuns({ list, by, columns, filter, onShow }: GroupedRunsProps) {
  const { runs = [], total, hasMore, isFetching, more } = list
  const reading = hasMore && runs.length < mostGrouped
  useEffect(() => {
    if (reading && !isFetching) more()
  }, [reading, isFetching, more])
  const metrics = useMemo(() => columns.filter(({ field }) => field === 'metric').map(({ key }) => key), [columns])
  const groups = useMemo(() => groupRuns(runs, by, metrics), [runs, by, metrics])
  const shown: Column<RunGroup>[] = [
    {
      title: columnText(by),
      wrap: true,
      cell: ({ value }) =>
        value === undefined ? (
          <Text span inherit c="dimmed">
            none
          </Text>
        ) : (
          <Anchor
            component="button"
            type="button"
            inherit
            style={{ overflowWrap: 'anywhere', textAlign: 'left' }}
            onClick={() => onShow(filterFor(by, value, filter))}
          >
            {value === '' ? '(empty)' : value}
          </Anchor>
        ),
    },
    { title: 'Runs', number: true, cell: ({ runs: members }) => count(members) },
    ...metrics.map(
      (key): Column<RunGroup> => ({
        title: `metric.${key}`,
        number: true,
        cell: (group) => {
          const of = group.metrics.get(key)
          if (of === undefined) return '–'
          return (
            <>
              <strong>{metricText(of.mean)}</strong>{' '}
              <Text span size="xs" c="dimmed" title={`lowest to highest of ${counted(of.runs, 'run')}`}>
                {brief(of.lowest)} … {brief(of.highest)}
              </Text>
            </>
          )
        },
      }),
    ),
  ]
  return (
    <>
      {reading && (
        <Progress value={(100 * runs.length) / Math.min(total, mostGrouped)} size="sm" aria-label="Reading" />
      )}
      <DataTable
        label="Runs by group"
        columns={shown}
        rows={groups.slice(0, mostGroups)}
        rowKey={({ value }) => `=${value ?? ''}${value === undefined}`}
      />
      <Text size="sm" c="dimmed" mt="xs">
        {counted(groups.length, 'group')}
        {groups.length > mostGroups && `, the first ${mostGroups} shown`}
        {total > mostGrouped && ` of the first ${count(mostGrouped)} runs`}. Of each metric the mean, and from the
        lowest to the highest.
      </Text>
    </>
  )
}

const brief = (value: number): string => metricText(Number(value.toPrecision(3)))
