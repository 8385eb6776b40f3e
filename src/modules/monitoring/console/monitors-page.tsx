import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count, counted } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { AnswerOf } from '../../../platform/operation.ts'
import { listMonitors } from '../contract.ts'

type Monitor = AnswerOf<typeof listMonitors>['items'][number]

const PageState = z.object({ search: z.string().max(200).catch('') })

const columns: readonly Column<Monitor>[] = [
  {
    title: 'Monitor',
    cell: ({ environment, monitor }) => (
      <Anchor
        inherit
        fw={600}
        renderRoot={(props) => (
          <Link {...props} to="/monitors/$environment/$monitor" params={{ environment, monitor }} />
        )}
      >
        {environment}/{monitor}
      </Anchor>
    ),
  },
  {
    title: 'State',
    cell: ({ openFindings, evaluation }) => {
      if (openFindings > 0) return <State tone="warn">{counted(openFindings, 'open finding')}</State>
      return evaluation === null ? <State tone="idle">not evaluated yet</State> : <State tone="good">clear</State>
    },
  },
  {
    title: 'Endpoint',
    cell: ({ environment, spec }) => <SubjectLink kind="endpoint" id={`${environment}/${spec.endpoint}`} bare />,
  },
  {
    title: 'Looks',
    cell: ({ spec }) => (
      <Text span size="sm">
        back {spec.window}, every {spec.every}
      </Text>
    ),
  },
  {
    title: 'Last window (event time)',
    cell: ({ evaluation }) =>
      evaluation === null ? (
        '–'
      ) : (
        <>
          <Text span size="sm" c="dimmed" hiddenFrom="sm">
            to{' '}
          </Text>
          <Instant at={evaluation.at} />
        </>
      ),
  },
  {
    title: 'Breached then',
    number: true,
    cell: ({ evaluation }) => (
      <>
        <Text span size="sm" c="dimmed" hiddenFrom="sm">
          breached{' '}
        </Text>
        {evaluation === null ? '–' : count(evaluation.breached)}
      </>
    ),
  },
]

/** What is watched, and whether it is well. */
export function MonitorsPage() {
  const [{ search }, change] = usePageState(PageState)
  return (
    <Page
      title="Monitors"
      about="They hold what endpoints see and answer against what their versions were trained on and promised."
      actions={
        <SearchBox
          label="Find a monitor or endpoint"
          value={search}
          onChange={(text) => change({ search: text || undefined })}
        />
      }
    >
      <OperationTable
        label="Monitors"
        operation={listMonitors}
        input={(cursor) => ({ limit: 50, cursor, search: search || undefined })}
        about={['monitor', 'finding']}
        noun="monitor"
        columns={columns}
        rowKey={({ environment, monitor }) => `${environment}/${monitor}`}
        empty={
          search === '' ? (
            <Empty title="Nothing is watched yet" command="pave schemas Monitor > monitor.schema.json">
              A monitor is a manifest of kind Monitor beside that of its endpoint. Its schema:
            </Empty>
          ) : (
            <Empty title="No monitor is like that">
              Monitors are found by their own name and that of their endpoint.
            </Empty>
          )
        }
      />
    </Page>
  )
}
