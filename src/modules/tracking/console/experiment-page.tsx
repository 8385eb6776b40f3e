import {
  Anchor,
  Badge,
  Button,
  Checkbox,
  Group,
  MultiSelect,
  Skeleton,
  Stack,
  Text,
  UnstyledButton,
} from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { z } from 'zod'
import { client, read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { counted, duration } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { getExperiment, searchTrackingRuns, type TrackingRun } from '../contract.ts'
import { CompareCurves } from './compare-curves.tsx'
import { CompareRuns } from './compare-runs.tsx'
import { availableColumns, cellOf, columnsOf, columnText, nextOrder, orderOf, usualColumns } from './run-columns.ts'
import { RunFilterBox } from './run-filter-box.tsx'
import { statusTones } from './run-status.ts'

const PageState = z.object({
  search: z.string().optional().catch(undefined),
  filter: z.string().max(10_000).optional().catch(undefined),
  columns: z.string().optional().catch(undefined),
  order: z.string().catch(''),
  compare: z.string().catch(''),
})

const mostCompared = 10

/** The runs of an experiment: what they were given, what they reached, and their curves on top of each other. */
export function ExperimentPage() {
  const { experiment } = getRouteApi('/signed-in/experiments/$experiment').useParams()
  const { data, error } = useQuery(read(getExperiment, { experiment }, ['experiment']))
  const tags = Object.entries(data?.tags ?? {}).filter(([key]) => !key.startsWith('mlflow.'))
  return (
    <Page
      title={data?.name ?? `Experiment ${experiment}`}
      within={[{ title: 'Experiments', link: { to: '/experiments' } }]}
      about={data?.tags['mlflow.note.content']}
    >
      {error !== null && <Problem error={error} />}
      {tags.length > 0 && (
        <Group gap={6}>
          {tags.map(([key, value]) => (
            <Badge key={key} color="gray" title={value}>
              {key}: {value.slice(0, 60)}
            </Badge>
          ))}
        </Group>
      )}
      {error === null && <Runs experiment={experiment} />}
    </Page>
  )
}

function Runs({ experiment }: { experiment: string }) {
  const [{ search, filter, columns: chosenColumns, order, compare }, change] = usePageState(PageState)
  const input = {
    experiments: [experiment],
    limit: 50,
    orderBy: orderOf(order),
    ...(filter !== undefined && { filter }),
    conditions:
      search === undefined
        ? []
        : [{ field: 'attribute' as const, key: 'name', comparator: 'ilike' as const, value: likePattern(search) }],
  }
  const list = useInfiniteQuery({
    queryKey: [searchTrackingRuns.name, 'pages', input],
    queryFn: ({ signal, pageParam }) => client.call(searchTrackingRuns, { ...input, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (before) => before,
    meta: { about: ['run', 'tracking-run', 'experiment'] },
  })
  if (list.data === undefined && list.error === null) return <Skeleton height={300} radius="lg" />
  const runs = (list.data?.pages ?? []).flatMap((page) => page.items)
  const known = availableColumns(runs)
  const shown = chosenColumns === undefined ? usualColumns(runs) : columnsOf(chosenColumns)
  const compared = compare === '' ? [] : compare.split(',')
  const choose = (run: string, on: boolean) => {
    const next = on ? [...compared, run] : compared.filter((one) => one !== run)
    change({ compare: next.length === 0 ? undefined : next.join(',') })
  }
  const columns: Column<TrackingRun>[] = [
    {
      title: 'Compare',
      cell: ({ run, name }) => (
        <Checkbox
          size="xs"
          aria-label={`Compare ${name}`}
          checked={compared.includes(run)}
          disabled={!compared.includes(run) && compared.length >= mostCompared}
          onChange={(event) => choose(run, event.currentTarget.checked)}
        />
      ),
    },
    {
      title: 'Run',
      wrap: true,
      cell: ({ run, name }) => (
        <Anchor
          inherit
          fw={600}
          display="inline-block"
          miw="12rem"
          style={{ overflowWrap: 'anywhere' }}
          renderRoot={(props) => <Link {...props} to="/tracking-runs/$run" params={{ run }} />}
        >
          {name}
        </Anchor>
      ),
    },
    { title: 'Status', cell: ({ status }) => <State tone={statusTones[status]}>{status}</State> },
    ...shown.map(
      (column): Column<TrackingRun> => ({
        title: columnText(column),
        number: column.field === 'metric',
        cell: (run) => <span style={{ overflowWrap: 'anywhere' }}>{cellOf(run, column) ?? '–'}</span>,
      }),
    ),
    {
      title: 'Took',
      number: true,
      cell: ({ startedAt, endedAt }) =>
        endedAt === null ? '–' : duration(Date.parse(endedAt) - Date.parse(startedAt)),
    },
    { title: 'Started', cell: ({ startedAt }) => <Instant at={startedAt} /> },
  ]
  return (
    <>
      {compared.length > 0 && <CompareCurves runs={compared} />}
      {compared.length > 1 && <CompareRuns runs={compared} />}
      <Group gap="sm" align="flex-end">
        <SearchBox
          label="Search by name"
          value={search ?? ''}
          onChange={(text) => change({ search: text === '' ? undefined : text })}
        />
        <RunFilterBox
          value={filter ?? ''}
          wrong={list.error !== null && filter !== undefined}
          onChange={(text) => change({ filter: text === '' ? undefined : text })}
        />
        <MultiSelect
          aria-label="Columns"
          placeholder={shown.length === 0 ? 'Choose columns' : undefined}
          searchable
          clearable
          w={{ base: '100%', sm: 420 }}
          data={[...new Set([...known, ...shown].map(columnText))]}
          value={shown.map(columnText)}
          onChange={(names) => change({ columns: names.join(',') })}
        />
      </Group>
      <OrderBy order={order} columns={shown.map(columnText)} onOrder={(next) => change({ order: next })} />
      <Panel>
        {list.data === undefined && list.error !== null ? (
          <Problem error={list.error} />
        ) : runs.length === 0 ? (
          search === undefined && filter === undefined ? (
            <Empty title="No run yet" command="python -c &quot;import mlflow; mlflow.start_run()&quot;">
              Runs of the mlflow client in this experiment appear here.
            </Empty>
          ) : (
            <Text c="dimmed">No run matches.</Text>
          )
        ) : (
          <Section title="Runs">
            <Stack gap="xs">
              <DataTable label="Runs" columns={columns} rows={runs} rowKey={({ run }) => run} />
              <Group justify="space-between">
                <Text size="sm" c="dimmed" role="status">
                  {counted(runs.length, 'run')}
                  {list.hasNextPage && ', and more'}. Tick up to {mostCompared} to see their curves.
                </Text>
                {list.hasNextPage && (
                  <Button
                    variant="default"
                    size="xs"
                    loading={list.isFetchingNextPage}
                    onClick={() => void list.fetchNextPage()}
                  >
                    Show more
                  </Button>
                )}
              </Group>
            </Stack>
          </Section>
        )}
      </Panel>
    </>
  )
}

function OrderBy(props: { order: string; columns: readonly string[]; onOrder(order: string | undefined): void }) {
  const { order, columns, onOrder } = props
  const now = order.replace(/^-/, '')
  return (
    <Group gap="xs" role="group" aria-label="Order">
      <Text size="sm" c="dimmed">
        Order by
      </Text>
      {['started', 'name', ...columns].map((name) => (
        <UnstyledButton
          key={name}
          fz="sm"
          fw={now === name ? 650 : 400}
          aria-pressed={now === name}
          onClick={() => onOrder(nextOrder(order, name))}
        >
          {name}
          {now === name && (order.startsWith('-') ? ' ↓' : ' ↑')}
        </UnstyledButton>
      ))}
    </Group>
  )
}

const likePattern = (text: string): string => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
