import { Anchor, Button, Group, Select, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { AddressedFolder, folderTrail, nameOfFolder } from '#modules/folders/console/folder-view.ts'
import { FoldersInside } from '#modules/folders/console/folders-inside.tsx'
import { NothingHere } from '#modules/folders/console/nothing-here.tsx'
import { RenameFolderButton } from '#modules/folders/console/rename-folder-button.tsx'
import { type Choice, useMoving } from '#modules/folders/console/use-moving.tsx'
import { useMay } from '#modules/identity/console/may.tsx'
import type { AnswerOf } from '#platform/operation.ts'
import { client } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { listExperiments, moveExperiments } from '../contract.ts'

const PageState = z.object({
  folder: AddressedFolder,
  search: z.string().optional().catch(undefined),
  state: z.enum(['active', 'deleted']).catch('active'),
})

/** Groups of runs that are compared with each other, folder by folder; a search looks below the folder too. */
export function ExperimentsPage() {
  const [{ folder = '', search, state }, change] = usePageState(PageState)
  return (
    <Page
      key={folder}
      title={folder === '' ? 'Experiments' : nameOfFolder(folder)}
      within={folderTrail('/experiments', 'Experiments', folder).slice(0, -1)}
      actions={
        <>
          <RenameFolderButton folder={folder} room="/experiments" />
          <Button variant="default" renderRoot={(props) => <Link {...props} to="/experiments/trash" />}>
            Trash
          </Button>
        </>
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
      {search === undefined && state === 'active' && <FoldersInside folder={folder} room="/experiments" />}
      <ExperimentsIn folder={folder} search={search} state={state} />
    </Page>
  )
}

interface ExperimentsInProps {
  folder: string
  search: string | undefined
  state: 'active' | 'deleted'
}

function ExperimentsIn({ folder, search, state }: ExperimentsInProps) {
  const may = useMay(moveExperiments)
  const moving = useMoving({ noun: 'experiment', folder, may, move })
  const below = search !== undefined || state === 'deleted'
  return (
    <Panel>
      {moving.bar}
      <OperationTable
        label="Experiments"
        operation={listExperiments}
        input={(cursor) => ({ folder, below, ...(search && { search }), state, cursor })}
        about={['experiment', 'run', 'tracking-run', 'folder']}
        noun="experiment"
        columns={[nameIn(folder, moving.choice), ...columns]}
        rowKey={(row) => row.experiment}
        empty={
          below ? (
            <Text c="dimmed">No experiment matches.</Text>
          ) : (
            <NothingHere folder={folder} of="experiments">
              <Empty
                title="No experiment yet"
                command={`export MLFLOW_TRACKING_URI=${window.location.origin} MLFLOW_TRACKING_TOKEN=…\npython -c "import mlflow; mlflow.set_experiment('trees')"`}
              >
                Runs of the stock mlflow client appear here.
              </Empty>
            </NothingHere>
          )
        }
      />
    </Panel>
  )
}

async function move(experiments: string[], to: string) {
  const { folder, moved } = await client.call(moveExperiments, { experiments, folder: to })
  return { folder, moved: moved.map(({ experiment, from }) => ({ id: experiment, from })) }
}

type Row = AnswerOf<typeof listExperiments>['items'][number]

/** What a search found in a folder below tells where. */
const nameIn = (here: string, choice: Choice): Column<Row> => ({
  title: 'Experiment',
  wrap: true,
  cell: ({ experiment, name, folder }) =>
    choice(
      experiment,
      name,
      <>
        <Anchor
          inherit
          fw={600}
          style={{ overflowWrap: 'anywhere' }}
          renderRoot={(props) => <Link {...props} to="/experiments/$experiment" params={{ experiment }} />}
        >
          {name}
        </Anchor>
        {folder !== here && (
          <Text size="sm" c="dimmed">
            in {folder}
          </Text>
        )}
      </>,
    ),
})

const columns: readonly Column<Row>[] = [
  { title: 'Runs', number: true, cell: ({ runs }) => count(runs) },
  { title: 'Last run', cell: ({ lastRunAt }) => (lastRunAt === null ? '–' : <Age at={lastRunAt} />) },
  { title: 'Created', cell: ({ createdAt }) => <Instant at={createdAt} /> },
]
