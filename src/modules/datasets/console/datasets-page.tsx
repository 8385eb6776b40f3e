import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { type DatasetSummary, listDatasets } from '../contract.ts'
import { QuarantineLink } from './quarantine-link.tsx'

const State = z.object({ search: z.string().optional().catch(undefined) })

/** Every dataset: how much it holds, how new it is, and what its contract set aside. */
export function DatasetsPage() {
  const [{ search }, change] = usePageState(State)
  return (
    <Page title="Datasets">
      <SearchBox
        label="Search by name, owner or description"
        value={search ?? ''}
        onChange={(text) => change({ search: text === '' ? undefined : text })}
      />
      <Panel>
        <OperationTable
          label="Datasets"
          operation={listDatasets}
          input={(cursor) => ({ ...(search && { search }), cursor })}
          about={['dataset', 'dataset-version']}
          noun="dataset"
          columns={columns}
          rowKey={(row) => row.dataset}
          empty={
            search === undefined ? (
              <Empty title="No dataset is declared yet" command="pave apply examples/flight-delays">
                A dataset comes from a manifest of kind Dataset: its source, and the contract that rows must keep.
              </Empty>
            ) : (
              <Text c="dimmed">No dataset matches.</Text>
            )
          }
        />
      </Panel>
    </Page>
  )
}

const columns: readonly Column<DatasetSummary>[] = [
  {
    title: 'Dataset',
    wrap: true,
    cell: ({ dataset, spec }) => (
      <>
        <Anchor
          inherit
          fw={600}
          renderRoot={(props) => <Link {...props} to="/datasets/$dataset" params={{ dataset }} />}
        >
          {dataset}
        </Anchor>
        {spec.description !== '' && (
          <Text size="sm" c="dimmed" lineClamp={1} title={spec.description}>
            {spec.description}
          </Text>
        )}
      </>
    ),
  },
  { title: 'Owner', cell: ({ spec }) => spec.owner ?? '' },
  {
    title: 'Latest version',
    cell: ({ dataset, latestVersion }) =>
      latestVersion === null ? (
        <Text span c="dimmed">
          none yet
        </Text>
      ) : (
        <Anchor
          inherit
          renderRoot={(props) => (
            <Link
              {...props}
              to="/datasets/$dataset/versions/$version"
              params={{ dataset, version: String(latestVersion) }}
            />
          )}
        >
          {`@${latestVersion}`}
        </Anchor>
      ),
  },
  { title: 'Rows', number: true, cell: ({ latest }) => (latest === null ? '' : count(latest.rows)) },
  {
    title: 'In quarantine',
    number: true,
    cell: ({ dataset, latest, latestVersion }) =>
      latest !== null &&
      latestVersion !== null && <QuarantineLink dataset={dataset} version={latestVersion} counts={latest} />,
  },
  {
    title: 'Newest row',
    cell: ({ latest }) => latest?.lastTime != null && <Instant at={latest.lastTime} />,
  },
  { title: 'Ingested', cell: ({ latest }) => latest !== null && <Age at={latest.registeredAt} /> },
]
