import { Anchor, Group, Select, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { AddressedFolder, folderTrail, nameOfFolder } from '#modules/folders/console/folder-view.ts'
import { FoldersInside } from '#modules/folders/console/folders-inside.tsx'
import { NothingHere } from '#modules/folders/console/nothing-here.tsx'
import { RenameFolderButton } from '#modules/folders/console/rename-folder-button.tsx'
import { type Choice, useMoving } from '#modules/folders/console/use-moving.tsx'
import { useMay } from '#modules/identity/console/may.tsx'
import { client } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { listModels, type Model, moveModels } from '../contract.ts'
import { ServedList } from './served-list.tsx'

const State = z.object({
  folder: AddressedFolder,
  search: z.string().optional().catch(undefined),
  tier: z.coerce.number().int().min(1).max(4).optional().catch(undefined),
  order: z.enum(['name', 'changed']).catch('name'),
})

/** Every model, folder by folder: whose it is, how grave, and where it serves. A search looks below the folder too. */
export function ModelsPage() {
  const [{ folder = '', search, tier, order }, change] = usePageState(State)
  const below = search !== undefined || tier !== undefined
  const filter = { folder, below, ...(search && { search }), ...(tier && { tier }), order }
  return (
    <Page
      key={folder}
      title={folder === '' ? 'Models' : nameOfFolder(folder)}
      within={folderTrail('/models', 'Models', folder).slice(0, -1)}
      actions={<RenameFolderButton folder={folder} room="/models" />}
    >
      <Group gap="sm">
        <SearchBox
          label="Search by name, owner or description"
          value={search ?? ''}
          onChange={(text) => change({ search: text === '' ? undefined : text })}
        />
        <Select
          aria-label="Risk tier"
          placeholder="Any tier"
          clearable
          w={130}
          data={['1', '2', '3', '4'].map((value) => ({ value, label: `Tier ${value}` }))}
          value={tier === undefined ? null : String(tier)}
          onChange={(value) => change({ tier: value === null ? undefined : Number(value) })}
        />
        <Select
          aria-label="Order"
          w={160}
          allowDeselect={false}
          data={[
            { value: 'name', label: 'By name' },
            { value: 'changed', label: 'Last changed first' },
          ]}
          value={order}
          onChange={(value) => change({ order: value === 'changed' ? 'changed' : 'name' })}
        />
      </Group>
      {!below && <FoldersInside folder={folder} room="/models" />}
      <ModelsIn filter={filter} />
    </Page>
  )
}

interface ModelsInProps {
  filter: { folder: string; below: boolean; search?: string; tier?: number; order: 'name' | 'changed' }
}

function ModelsIn({ filter }: ModelsInProps) {
  const { folder, below } = filter
  const may = useMay(moveModels)
  const moving = useMoving({ noun: 'model', folder, may, move })
  return (
    <Panel>
      {moving.bar}
      <OperationTable
        label="Models"
        operation={listModels}
        input={(cursor) => ({ ...filter, cursor })}
        about={['model', 'folder']}
        noun="model"
        columns={[nameIn(folder, moving.choice), ...columns]}
        rowKey={(row) => row.model}
        empty={
          below ? (
            <Text c="dimmed">No model matches.</Text>
          ) : (
            <NothingHere folder={folder} of="models">
              <Empty title="No model is declared yet" command="pave apply examples/flight-delays">
                A model comes from a manifest of kind Model, or from the mlflow client.
              </Empty>
            </NothingHere>
          )
        }
      />
    </Panel>
  )
}

async function move(models: string[], to: string) {
  const { folder, moved } = await client.call(moveModels, { models, folder: to })
  return { folder, moved: moved.map(({ model, from }) => ({ id: model, from })) }
}

/** What a search found in a folder below tells where. */
const nameIn = (here: string, choice: Choice): Column<Model> => ({
  title: 'Model',
  wrap: true,
  cell: ({ model, folder, spec }) =>
    choice(
      model,
      model,
      <>
        <Anchor inherit fw={600} renderRoot={(props) => <Link {...props} to="/models/$model" params={{ model }} />}>
          {model}
        </Anchor>
        {folder !== here && (
          <Text size="sm" c="dimmed">
            in {folder}
          </Text>
        )}
        {spec.description !== '' && (
          <Text size="sm" c="dimmed" lineClamp={1} title={spec.description}>
            {spec.description}
          </Text>
        )}
      </>,
    ),
})

const columns: readonly Column<Model>[] = [
  { title: 'Owner', cell: ({ spec }) => spec.owner },
  { title: 'Tier', cell: ({ spec }) => <span title="Risk tier; 1 is the gravest">Tier {spec.tier}</span> },
  { title: 'Task', cell: ({ spec }) => spec.task.replaceAll('-', ' ') },
  {
    title: 'Latest version',
    cell: ({ model, latestVersion }) =>
      latestVersion === null ? (
        <Text span c="dimmed">
          none yet
        </Text>
      ) : (
        <Anchor
          inherit
          renderRoot={(props) => (
            <Link {...props} to="/models/$model/versions/$version" params={{ model, version: String(latestVersion) }} />
          )}
        >
          {`@${latestVersion}`}
        </Anchor>
      ),
  },
  { title: 'Serves', wrap: true, cell: ({ model }) => <ServedList model={model} /> },
  { title: 'Last change', cell: ({ changedAt }) => <Age at={changedAt} /> },
]
