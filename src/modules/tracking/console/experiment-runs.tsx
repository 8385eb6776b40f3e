import { Button, Group, Select, Skeleton, Stack, Switch, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useMemo } from 'react'
import { z } from 'zod'
import { read } from '../../../console/api.ts'
import { Empty } from '../../../console/design/empty.tsx'
import { FilterBox } from '../../../console/design/filter-box.tsx'
import { count, counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { searchTrackingRuns } from '../contract.ts'
import { flatLines, nestedLines, parentIdOf } from './arrange-runs.ts'
import { ColumnChoice } from './column-choice.tsx'
import { mostCompared } from './compared-runs.ts'
import { GroupedRuns } from './grouped-runs.tsx'
import { availableColumns, columnOf, columnsOf, columnText, fieldOf, usualColumns } from './run-columns.ts'
import { RunsTable } from './runs-table.tsx'
import { aboutRuns, useParents, useRuns } from './use-runs.ts'

const PageState = z.object({
  tab: z.string().optional().catch(undefined),
  search: z.string().optional().catch(undefined),
  filter: z.string().max(10_000).optional().catch(undefined),
  columns: z.string().optional().catch(undefined),
  order: z.string().catch(''),
  compare: z.string().catch(''),
  nested: z.boolean().optional().catch(undefined),
  open: z.string().catch(''),
  group: z.string().optional().catch(undefined),
})

/** Rows that are shown as coming, at most: more would be a scroll bar that nobody can aim with. */
const mostComing = 20_000
/** What can be learned of an experiment's columns is learned from this many of its newest runs. */
const sampled = 30

/** The runs of an experiment in a table: searched, filtered and ordered by the server, however many they are. */
export function ExperimentRuns({ experiment }: { experiment: string }) {
  const [state, change] = usePageState(PageState)
  const { search, filter, order, group } = state
  const sample = useQuery(read(searchTrackingRuns, { experiments: [experiment], limit: sampled }, aboutRuns))
  const newest = sample.data?.items
  const known = useMemo(() => availableColumns(newest ?? []), [newest])
  const columns = useMemo(() => {
    if (state.columns !== undefined) return columnsOf(state.columns)
    return newest === undefined ? undefined : usualColumns(newest)
  }, [state.columns, newest])
  const grouped = group === undefined ? undefined : columnOf(group)
  const nests = newest?.some((run) => parentIdOf(run) !== undefined) === true
  const usual = search === undefined && filter === undefined && order === ''
  const nested = nests && (state.nested ?? usual)
  const fields = useMemo(
    () => columns && [...new Set([...columns, ...(grouped === undefined ? [] : [grouped])].map(fieldOf)), parentField],
    [columns, grouped],
  )
  const list = useRuns({ experiment, search, filter, order }, fields)
  const parents = useParents(experiment, nested ? (list.runs ?? none) : none, fields ?? none)
  const opened = useMemo(() => new Set(state.open.split(',')), [state.open])
  const lines = useMemo(
    () => (nested ? nestedLines(list.runs ?? [], parents, opened) : flatLines(list.runs ?? [])),
    [nested, list.runs, parents, opened],
  )
  const chosen = useMemo(() => new Set(state.compare === '' ? [] : state.compare.split(',')), [state.compare])
  const choose = useCallback(
    (run: string, on: boolean) => {
      const next = on ? [...chosen, run] : [...chosen].filter((one) => one !== run)
      change({ compare: next.length === 0 ? undefined : next.join(',') })
    },
    [chosen, change],
  )
  const open = useCallback(
    (run: string) => {
      const next = opened.has(run) ? [...opened].filter((one) => one !== run) : [...opened, run]
      change({ open: next.filter((one) => one !== '').join(',') || undefined })
    },
    [opened, change],
  )
  const setOrder = useCallback((next: string | undefined) => change({ order: next }), [change])
  const { more, hasMore, total } = list
  const reach = useCallback(
    (last: number) => {
      if (hasMore && last > lines.length - 40) more()
    },
    [hasMore, lines.length, more],
  )
  const coming = hasMore ? Math.min(nested ? 10 : mostComing, total - (list.runs?.length ?? 0)) : 0
  const problem = list.error ?? sample.error
  const groupable = known.filter(({ field }) => field !== 'metric').map(columnText)
  if (newest?.length === 0 && usual) {
    return (
      <Empty title="No run yet" command="python -c &quot;import mlflow; mlflow.start_run()&quot;">
        Runs of the mlflow client in this experiment appear here.
      </Empty>
    )
  }
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-end">
        <SearchBox
          label="Search by name"
          value={search ?? ''}
          onChange={(text) => change({ search: text === '' ? undefined : text })}
        />
        <FilterBox
          value={filter ?? ''}
          placeholder="metrics.auc > 0.7 and params.depth = '6'"
          title="As clients of MLflow write it: metrics, params, tags and attributes, joined by and, or, not"
          wrong={list.error !== null && filter !== undefined}
          onChange={(text) => change({ filter: text === '' ? undefined : text })}
        />
        <Select
          aria-label="Group by"
          placeholder="Group by"
          clearable
          searchable
          w={150}
          data={[...new Set([...groupable, ...(group === undefined ? [] : [group])])]}
          value={group ?? null}
          onChange={(name) => change({ group: name ?? undefined })}
        />
        <ColumnChoice known={known} shown={columns ?? []} onChange={(names) => change({ columns: names.join(',') })} />
      </Group>
      <Panel p="md">
        {problem !== null && <Problem error={problem} />}
        {problem === null && list.runs === undefined && <Skeleton height={300} radius="lg" aria-label="Loading runs" />}
        {list.runs !== undefined && columns !== undefined && (
          <>
            <Group justify="space-between" mb="xs" gap="xs" mih={30}>
              <Group gap="md">
                <Text size="sm" c="dimmed" role="status">
                  {total === 0 ? 'No run matches.' : counted(total, 'run')}
                  {list.isOld && ' · reading …'}
                </Text>
                {nests && grouped === undefined && (
                  <Switch
                    size="xs"
                    label="Nested"
                    checked={nested}
                    onChange={(event) => change({ nested: event.currentTarget.checked })}
                  />
                )}
              </Group>
              <Group gap="xs">
                {!list.isFollowed && (
                  <Button size="xs" variant="subtle" loading={list.isFetching} onClick={list.readAgain}>
                    Read again
                  </Button>
                )}
                {chosen.size > 0 && (
                  <Button size="xs" variant="default" onClick={() => change({ compare: undefined })}>
                    Choose none
                  </Button>
                )}
                {total > 1 && (
                  <Button size="xs" onClick={() => change({ tab: 'compare' }, { push: true })}>
                    {chosen.size > 0 ? `Compare ${count(chosen.size)} chosen` : 'Compare what is found'}
                  </Button>
                )}
              </Group>
            </Group>
            {total > 0 && grouped !== undefined && (
              <GroupedRuns
                list={list}
                by={grouped}
                columns={columns}
                onShow={(next) => change({ filter: next, group: undefined })}
                filter={filter}
              />
            )}
            {total > 0 && grouped === undefined && (
              <RunsTable
                lines={lines}
                count={lines.length + coming}
                columns={columns}
                order={order}
                onOrder={setOrder}
                chosen={chosen}
                full={chosen.size >= mostCompared}
                onChoose={choose}
                onOpen={open}
                onReach={reach}
              />
            )}
          </>
        )}
      </Panel>
    </Stack>
  )
}

const parentField = 'tags.mlflow.parentRunId'
const none: never[] = []
