import { Anchor, Button, Group, Select, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import type { AnswerOf } from '#platform/operation.ts'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { listExperiments } from '../contract.ts'

const PageState = z.object({
  search: z.string().optional().catch(undefined),
  state: z.enum(['active', 'deleted']).catch('active'),
})

/** Groups of runs that are compared with each other. */
export function ExperimentsPage() {
  const [{ search, state }, change] = usePageState(PageState)
  return (
    <Page
      title="Experiments"
      actions={
        <Button variant="default" renderRoot={(props) => <Link {...props} to="/experiments/trash" />}>
          Trash
        </Button>
      }
    >
      <Group gap="sm">
        <SearchBox
          label="Search by name"
          value={search ?? ''}
          onChange={(text) => change({ search: text === '' ? undefined : text })}
        />
        <Select
          aria-label="State"
          w={130}
          allowDeselect={false}
          data={[
            { value: 'active', label: 'Active' },
            { value: 'deleted', label: 'Deleted' },
          ]}
          value={state}
          onChange={(value) => change({ state: value === 'deleted' ? 'deleted' : 'active' })}
        />
      </Group>
      <Panel>
        <OperationTable
          label="Experiments"
          operation={listExperiments}
          input={(cursor) => ({ ...(search && { search }), state, cursor })}
          about={['experiment', 'run', 'tracking-run']}
          noun="experiment"
          columns={columns}
          rowKey={(row) => row.experiment}
          empty={
            search === undefined && state === 'active' ? (
              <Empty
                title="No experiment yet"
                command={`export MLFLOW_TRACKING_URI=${window.location.origin} MLFLOW_TRACKING_TOKEN=…\npython -c "import mlflow; mlflow.set_experiment('trees')"`}
              >
                Runs of the stock mlflow client appear here.
              </Empty>
            ) : (
              <Text c="dimmed">No experiment matches.</Text>
            )
          }
        />
      </Panel>
    </Page>
  )
}

type Row = AnswerOf<typeof listExperiments>['items'][number]

const columns: readonly Column<Row>[] = [
  {
    title: 'Experiment',
    wrap: true,
    cell: ({ experiment, name }) => (
      <Anchor
        inherit
        fw={600}
        style={{ overflowWrap: 'anywhere' }}
        renderRoot={(props) => <Link {...props} to="/experiments/$experiment" params={{ experiment }} />}
      >
        {name}
      </Anchor>
    ),
  },
  { title: 'Runs', number: true, cell: ({ runs }) => count(runs) },
  { title: 'Last run', cell: ({ lastRunAt }) => (lastRunAt === null ? '–' : <Age at={lastRunAt} />) },
  { title: 'Created', cell: ({ createdAt }) => <Instant at={createdAt} /> },
]
