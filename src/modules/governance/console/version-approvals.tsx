import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { z } from 'zod'
import { listPendingOperations, type PendingOperation } from '#platform/kernel/contract.ts'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State, type Tone } from '../../../console/design/state.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'

type Pending = z.infer<typeof PendingOperation>

/** Who was asked to let the version pass, and what they said. */
export function VersionApprovals({ version }: { version: string }) {
  const { data, error } = useQuery(
    read(listPendingOperations, { state: 'all', newestFirst: true, limit: 200 }, ['pending-operation']),
  )
  const rows = data?.items.filter((one) => one.evidence['version'] === version)
  return (
    <Panel>
      <Section title="Approvals">
        {error !== null && <Problem error={error} />}
        {rows?.length === 0 && (
          <Text size="sm" c="dimmed">
            {data?.nextCursor == null ? 'Nobody' : 'In the newest 200 requests, nobody'} was asked to approve anything
            about this version.
          </Text>
        )}
        {rows !== undefined && rows.length > 0 && (
          <DataTable label="Approvals" columns={columns} rows={rows} rowKey={(row) => row.id} />
        )}
      </Section>
    </Panel>
  )
}

const tones: Record<Pending['state'], Tone> = {
  pending: 'warn',
  done: 'good',
  rejected: 'bad',
  failed: 'bad',
  lapsed: 'idle',
  cancelled: 'idle',
}

const columns: readonly Column<Pending>[] = [
  {
    title: 'Request',
    cell: ({ id, operation }) => (
      <>
        {operation} <SubjectLink kind="pending-operation" id={id} bare />
      </>
    ),
  },
  { title: 'State', cell: ({ state }) => <State tone={tones[state]}>{state === 'pending' ? 'waits' : state}</State> },
  {
    title: 'Asked',
    cell: ({ requestedBy, requestedAt }) => (
      <>
        <Instant at={requestedAt} /> by <PersonName id={requestedBy} />
      </>
    ),
  },
  {
    title: 'Decided',
    wrap: true,
    cell: ({ approvals, quorum }) =>
      approvals.length === 0
        ? `0 of ${quorum}`
        : approvals.map((one) => (
            <div key={`${one.approver} ${one.at}`}>
              {one.decision === 'approve' ? 'approved' : 'rejected'} by <PersonName id={one.approver} />,{' '}
              <Instant at={one.at} />
              {one.comment !== '' && (
                <Text size="sm" c="dimmed">
                  {one.comment}
                </Text>
              )}
            </div>
          )),
  },
]
