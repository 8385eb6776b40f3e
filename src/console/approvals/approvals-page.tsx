import { Anchor, SegmentedControl, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { listPendingOperations, type PendingOperation } from '../../platform/kernel/contract.ts'
import { Age } from '../design/age.tsx'
import { type Column, OperationTable } from '../design/data-table.tsx'
import { Empty } from '../design/empty.tsx'
import { Instant } from '../design/instant.tsx'
import { Page } from '../design/page.tsx'
import { Panel } from '../design/panel.ts'
import { State } from '../design/state.tsx'
import tables from '../design/tables.module.css'
import { usePageState } from '../page-state.ts'
import { PersonName } from '../person-name.tsx'
import { SubjectLink } from '../subject-link.tsx'
import { approvalsOf, subjectsOf, tones } from './pending-view.ts'

const View = z.object({ state: z.enum(['pending', 'all']).catch('pending') })

/** What waits for a second person, and what they decided. */
export function ApprovalsPage() {
  const [{ state }, change] = usePageState(View)
  return (
    <Page
      title="Approvals"
      about="What policies let nobody do alone. An approval binds to the evidence: when that changes, it lapses."
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Which"
          value={state}
          onChange={(value) => change({ state: View.parse({ state: value }).state })}
          data={[
            { value: 'pending', label: 'Waiting' },
            { value: 'all', label: 'All' },
          ]}
        />
      }
    >
      <Panel>
        <OperationTable
          key={state}
          label="Approvals"
          operation={listPendingOperations}
          input={(cursor) => ({ state, newestFirst: state === 'all', limit: 50, cursor })}
          about={['pending-operation', 'entry']}
          noun="operation"
          columns={columns}
          rowKey={(pending) => pending.id}
          empty={
            <Empty title="Nothing waits for approval" command="pave list-pending-operations --state all">
              A release of a model whose tier asks for it waits here until somebody else has looked at its numbers.
            </Empty>
          }
        />
      </Panel>
    </Page>
  )
}

const columns: readonly Column<PendingOperation>[] = [
  {
    title: 'Operation',
    cell: ({ id, operation }) => (
      <Anchor
        inherit
        fw={550}
        renderRoot={(props) => <Link {...props} to="/approvals/$pending" params={{ pending: id }} />}
      >
        {operation}
      </Anchor>
    ),
  },
  {
    title: 'Of',
    wrap: true,
    cell: ({ input }) =>
      subjectsOf(input).map(({ kind, id }) => (
        <span key={kind} className={tables.subject}>
          <SubjectLink kind={kind} id={id} />
        </span>
      )),
  },
  { title: 'Asked by', cell: ({ requestedBy }) => <PersonName id={requestedBy} /> },
  { title: 'Asked', cell: ({ requestedAt }) => <Age at={requestedAt} /> },
  { title: 'Approvals', cell: (pending) => approvalsOf(pending) },
  { title: 'State', cell: ({ state }) => <State tone={tones[state]}>{state === 'pending' ? 'waiting' : state}</State> },
  {
    title: 'You',
    wrap: true,
    cell: ({ state, you, expiresAt }) =>
      state === 'pending' && (
        <Text span size="sm" {...(!you.mayDecide && { c: 'dimmed' })}>
          {you.mayDecide ? (
            <>
              decide until <Instant at={expiresAt} />
            </>
          ) : (
            you.why
          )}
        </Text>
      ),
  },
]
