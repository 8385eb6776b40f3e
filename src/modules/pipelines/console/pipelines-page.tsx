import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import type { AnswerOf } from '#platform/operation.ts'
import { Age, useNow } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count, duration } from '../../../console/design/format.ts'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { listPipelines } from '../contract.ts'
import { lasted, runTones } from './run-view.ts'

const PageState = z.object({ search: z.string().optional().catch(undefined) })

/** Every pipeline and how its last run went. */
export function PipelinesPage() {
  const [{ search }, change] = usePageState(PageState)
  return (
    <Page title="Pipelines">
      <SearchBox
        label="Search by name or description"
        value={search ?? ''}
        onChange={(text) => change({ search: text === '' ? undefined : text })}
      />
      <Panel>
        <OperationTable
          label="Pipelines"
          operation={listPipelines}
          input={(cursor) => ({ ...(search && { search }), cursor })}
          about={['pipeline', 'run']}
          noun="pipeline"
          columns={columns}
          rowKey={(row) => row.pipeline}
          empty={
            search === undefined ? (
              <Empty title="No pipeline is declared yet" command="pave apply examples/flight-delays">
                A pipeline comes from a manifest of kind Pipeline.
              </Empty>
            ) : (
              <Text c="dimmed">No pipeline matches.</Text>
            )
          }
        />
      </Panel>
    </Page>
  )
}

type Row = AnswerOf<typeof listPipelines>['items'][number]

const columns: readonly Column<Row>[] = [
  {
    title: 'Pipeline',
    wrap: true,
    cell: ({ pipeline, spec }) => (
      <>
        <Anchor
          inherit
          fw={600}
          renderRoot={(props) => <Link {...props} to="/pipelines/$pipeline" params={{ pipeline }} />}
        >
          {pipeline}
        </Anchor>
        {spec.description !== '' && (
          <Text size="sm" c="dimmed" lineClamp={1} title={spec.description}>
            {spec.description}
          </Text>
        )}
      </>
    ),
  },
  { title: 'Steps', number: true, cell: ({ spec }) => count(spec.steps.length) },
  {
    title: 'Last run',
    cell: ({ lastRun }) =>
      lastRun === null ? (
        <Text span c="dimmed">
          never ran
        </Text>
      ) : (
        <Anchor
          inherit
          underline="never"
          renderRoot={(props) => <Link {...props} to="/runs/$run" params={{ run: lastRun.run }} />}
        >
          <State tone={runTones[lastRun.state]}>{lastRun.state}</State>
        </Anchor>
      ),
  },
  { title: 'Started', cell: ({ lastRun }) => (lastRun === null ? '–' : <Age at={lastRun.createdAt} />) },
  { title: 'Took', number: true, cell: ({ lastRun }) => (lastRun === null ? '–' : <Lasted of={lastRun} />) },
  {
    title: 'Why',
    wrap: true,
    cell: ({ lastRun }) => (
      <Text size="sm" lineClamp={1} title={lastRun?.reason}>
        {lastRun?.reason || '–'}
      </Text>
    ),
  },
]

/** How long it took, counting on while it lasts. */
export function Lasted({ of }: { of: { startedAt: string | null; endedAt: string | null } }) {
  const now = useNow(of.startedAt !== null && of.endedAt === null ? 1_000 : 60_000)
  const ms = lasted(of, now)
  return ms === null ? '–' : duration(ms)
}
