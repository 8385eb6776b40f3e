import { Anchor, Badge, Group, Select, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { listExperiments } from '#modules/tracking/contract.ts'
import { read } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { FilterBox } from '../../../console/design/filter-box.tsx'
import { count } from '../../../console/design/format.ts'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { searchTraces, type Trace } from '../contract.ts'
import { AssessmentBadges } from './assessments.tsx'
import { nanoseconds, stateTones, stateWords } from './trace-state.ts'

const states = { OK: 'Ok', ERROR: 'Error', IN_PROGRESS: 'In progress' } as const
const StateName = z.enum(['OK', 'ERROR', 'IN_PROGRESS'])

const PageState = z.object({
  // In an address typed by people a number is a number.
  experiment: z
    .union([z.string().max(20), z.int().transform(String)])
    .optional()
    .catch(undefined),
  state: StateName.optional().catch(undefined),
  filter: z.string().max(10_000).catch(''),
})

/** What applications did, request by request. */
export function TracesPage() {
  const [{ experiment, state, filter }, change] = usePageState(PageState)
  const experiments = useQuery(read(listExperiments, { limit: 200 }, ['experiment']))
  const conditions = [
    ...(filter === '' ? [] : [`(${filter})`]),
    ...(state === undefined ? [] : [`trace.status = '${state}'`]),
  ]
  return (
    <Page title="Traces">
      <Group gap="sm">
        <FilterBox
          value={filter}
          placeholder="span.name = 'retrieve' and execution_time > 1000"
          title="As clients of MLflow write it: trace, tags, metadata, span, feedback and expectation, joined by and, or, not"
          onChange={(text) => change({ filter: text === '' ? undefined : text })}
        />
        <Select
          aria-label="State"
          placeholder="Any state"
          w={150}
          clearable
          data={Object.entries(states).map(([value, label]) => ({ value, label }))}
          value={state ?? null}
          onChange={(value) =>
            change({
              state: StateName.optional()
                .catch(undefined)
                .parse(value ?? undefined),
            })
          }
        />
        <Select
          aria-label="Experiment"
          placeholder="Any experiment"
          w={220}
          clearable
          searchable
          data={(experiments.data?.items ?? []).map((one) => ({ value: one.experiment, label: one.name }))}
          value={experiment ?? null}
          onChange={(value) => change({ experiment: value ?? undefined })}
        />
      </Group>
      <Panel>
        <OperationTable
          label="Traces"
          operation={searchTraces}
          input={(cursor) => ({
            ...(experiment !== undefined && { experiments: [experiment] }),
            filter: conditions.join(' AND '),
            limit: 50,
            cursor,
          })}
          about={['trace', 'assessment']}
          noun="trace"
          columns={columns}
          rowKey={(row) => row.trace}
          empty={
            conditions.length === 0 && experiment === undefined ? (
              <Empty
                title="No trace yet"
                command={`export MLFLOW_TRACKING_URI=${window.location.origin} MLFLOW_TRACKING_TOKEN=…\npython -c "import mlflow; mlflow.trace(lambda q: q.upper(), name='answer')('hello')"`}
              >
                What the stock mlflow client or an OpenTelemetry exporter sends appears here.
              </Empty>
            ) : (
              <Text c="dimmed">No trace matches.</Text>
            )
          }
        />
      </Panel>
    </Page>
  )
}

const columns: readonly Column<Trace>[] = [
  {
    title: 'Trace',
    wrap: true,
    cell: ({ trace, name, state, startedAt }) => (
      <div style={{ minWidth: '10rem' }}>
        <Anchor
          inherit
          fw={600}
          style={{ overflowWrap: 'anywhere' }}
          renderRoot={(props) => <Link {...props} to="/traces/$trace" params={{ trace }} />}
        >
          {name ?? `${trace.slice(0, 11)}…`}
        </Anchor>
        <Group gap="xs" fz="sm" wrap="nowrap">
          <State tone={stateTones[state]}>{stateWords[state]}</State>
          <Text inherit c="dimmed" component="span">
            <Age at={new Date(startedAt).toISOString()} />
          </Text>
        </Group>
      </div>
    ),
  },
  { title: 'Request', wrap: true, cell: ({ requestPreview }) => <Preview text={requestPreview} /> },
  { title: 'Response', wrap: true, cell: ({ responsePreview }) => <Preview text={responsePreview} /> },
  {
    title: 'Took',
    number: true,
    cell: ({ durationMs }) => (durationMs === null ? '–' : nanoseconds(durationMs * 1e6)),
  },
  { title: 'Tokens', number: true, cell: ({ tokens }) => (tokens === null ? '–' : count(tokens.total)) },
  { title: 'Spans', number: true, cell: ({ spans }) => count(spans) },
  {
    title: 'Tags and assessments',
    wrap: true,
    cell: (trace) => (
      <Group gap={4}>
        {Object.entries(trace.tags)
          .filter(([key]) => !key.startsWith('mlflow.'))
          .slice(0, 3)
          .map(([key, value]) => (
            <Badge key={key} color="gray" tt="none" maw={180} title={`${key}: ${value}`}>
              {key}: {value.slice(0, 40)}
            </Badge>
          ))}
        <AssessmentBadges of={trace.assessments} />
      </Group>
    ),
  },
]

function Preview({ text }: { text: string | null }) {
  if (text === null) return '–'
  return (
    <Text size="sm" lineClamp={2} title={text.slice(0, 1000)} miw={150} maw={320} style={{ overflowWrap: 'anywhere' }}>
      {text}
    </Text>
  )
}
