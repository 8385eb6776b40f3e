import { Anchor, Group, Select, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { listModels, type Model } from '../contract.ts'
import { ServedList } from './served-list.tsx'

const State = z.object({
  search: z.string().optional().catch(undefined),
  tier: z.coerce.number().int().min(1).max(4).optional().catch(undefined),
  order: z.enum(['name', 'changed']).catch('name'),
})

/** Every model: whose it is, how grave, and where it serves. */
export function ModelsPage() {
  const [{ search, tier, order }, change] = usePageState(State)
  const filter = { ...(search && { search }), ...(tier && { tier }), order }
  return (
    <Page title="Models">
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
      <Panel>
        <OperationTable
          label="Models"
          operation={listModels}
          input={(cursor) => ({ ...filter, cursor })}
          about={['model']}
          noun="model"
          columns={columns}
          rowKey={(row) => row.model}
          empty={
            search === undefined && tier === undefined ? (
              <Empty title="No model is declared yet" command="pave apply examples/flight-delays">
                A model comes from a manifest of kind Model, or from the mlflow client.
              </Empty>
            ) : (
              <Text c="dimmed">No model matches.</Text>
            )
          }
        />
      </Panel>
    </Page>
  )
}

const columns: readonly Column<Model>[] = [
  {
    title: 'Model',
    wrap: true,
    cell: ({ model, spec }) => (
      <>
        <Anchor inherit fw={600} renderRoot={(props) => <Link {...props} to="/models/$model" params={{ model }} />}>
          {model}
        </Anchor>
        {spec.description !== '' && (
          <Text size="sm" c="dimmed" lineClamp={1} title={spec.description}>
            {spec.description}
          </Text>
        )}
      </>
    ),
  },
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
