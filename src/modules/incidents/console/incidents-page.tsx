import { Anchor, SegmentedControl, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { duration } from '../../../console/design/format.ts'
import { Page } from '../../../console/design/page.tsx'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type Incident, listIncidents } from '../contract.ts'
import { severityTones, stateOf, timesOf } from './incident-view.ts'
import { endpointOf } from './use-open-incidents.ts'

const PageState = z.object({
  state: z.enum(['open', 'resolved', 'all']).catch('open'),
  search: z.string().max(200).catch(''),
})

const columns: readonly Column<Incident>[] = [
  {
    title: 'Incident',
    cell: ({ incident }) => (
      <Anchor
        inherit
        fw={600}
        renderRoot={(props) => <Link {...props} to="/incidents/$incident" params={{ incident }} />}
      >
        {incident}
      </Anchor>
    ),
  },
  {
    title: 'State',
    cell: (incident) => {
      const { tone, word } = stateOf(incident)
      return <State tone={tone}>{word}</State>
    },
  },
  {
    title: 'Severity',
    cell: ({ severity, state }) => (
      <State tone={state === 'resolved' ? 'idle' : severityTones[severity]}>{severity}</State>
    ),
  },
  { title: 'What', wrap: true, cell: ({ title }) => title },
  {
    title: 'Endpoint',
    cell: (incident) => {
      const endpoint = endpointOf(incident)
      return endpoint === undefined ? '–' : <SubjectLink kind="endpoint" id={endpoint} bare />
    },
  },
  {
    title: 'Opened',
    number: true,
    cell: ({ openedAt }) => (
      <>
        <Text span size="sm" c="dimmed" hiddenFrom="sm">
          opened{' '}
        </Text>
        <Age at={openedAt} />
      </>
    ),
  },
  {
    title: 'Resolved after',
    number: true,
    cell: (incident) => {
      const { resolved } = timesOf(incident)
      if (resolved === undefined) return '–'
      return (
        <>
          <Text span size="sm" c="dimmed" hiddenFrom="sm">
            resolved after{' '}
          </Text>
          {duration(resolved)}
        </>
      )
    },
  },
]

/** What went wrong, newest first. */
export function IncidentsPage() {
  const [{ state, search }, change] = usePageState(PageState)
  return (
    <Page
      title="Incidents"
      about="Automatic rollbacks and grave findings open them by themselves."
      actions={
        <SearchBox
          label="Find by words or number"
          value={search}
          onChange={(text) => change({ search: text || undefined })}
        />
      }
    >
      <SegmentedControl
        aria-label="Incidents"
        value={state}
        onChange={(value) => change({ state: PageState.shape.state.parse(value) })}
        data={[
          { value: 'open', label: 'Open' },
          { value: 'resolved', label: 'Resolved' },
          { value: 'all', label: 'All' },
        ]}
        style={{ alignSelf: 'flex-start' }}
      />
      <OperationTable
        label="Incidents"
        operation={listIncidents}
        input={(cursor) => ({
          limit: 50,
          cursor,
          state: state === 'all' ? undefined : state,
          search: search || undefined,
        })}
        about={['incident']}
        noun="incident"
        columns={columns}
        rowKey={({ id }) => id}
        empty={
          search === '' ? (
            <Empty
              title={state === 'open' ? 'No incident is open' : 'No incident is here'}
              command="pave open-incident --help"
            >
              A rollback that Pave decides on opens one, and so does a finding that is grave. People open them with:
            </Empty>
          ) : (
            <Empty title="No incident is like that">Incidents are found by their number and their title.</Empty>
          )
        }
      />
    </Page>
  )
}
