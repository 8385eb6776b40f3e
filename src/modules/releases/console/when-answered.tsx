import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { AnswerOf } from '#platform/operation.ts'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { duration, percentOfBasisPoints } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { EntryLink } from '../../../console/entry-link.tsx'
import { whenServed } from '../served-contract.ts'

type Time = AnswerOf<typeof whenServed>['items'][number]

const columns: readonly Column<Time>[] = [
  {
    title: 'Endpoint',
    cell: ({ environment, endpoint, from }) => (
      <Anchor
        inherit
        renderRoot={(props) => (
          <Link
            {...props}
            to="/endpoints/$environment/$endpoint"
            params={{ environment, endpoint }}
            search={{ at: from }}
          />
        )}
      >
        {environment}/{endpoint}
      </Anchor>
    ),
  },
  {
    title: 'Share of the requests',
    number: true,
    cell: ({ variant, weight }) =>
      variant === 'shadow' ? `copies of ${percentOfBasisPoints(weight)}` : percentOfBasisPoints(weight),
  },
  { title: 'As', cell: ({ variant }) => variant },
  { title: 'From', cell: ({ from }) => <Instant at={from} /> },
  { title: 'Until', cell: ({ until }) => (until === null ? 'now' : <Instant at={until} />) },
  {
    title: 'For',
    number: true,
    cell: ({ from, until }) => (until === null ? '–' : duration(Date.parse(until) - Date.parse(from))),
  },
  {
    title: 'Ledger',
    cell: ({ entry, change }) => <EntryLink entry={entry}>{change.replace('-', ' ')}</EntryLink>,
  },
]

/** The times in which a version answered, or was shadowed, on whichever endpoint. */
export function WhenAnswered({ model, version }: { model: string; version: number }) {
  return (
    <Panel>
      <Section title="When it answered">
        <OperationTable
          label="When it answered"
          operation={whenServed}
          input={(cursor) => ({ model, version, limit: 20, cursor })}
          about={['release', 'endpoint']}
          noun="time"
          columns={columns}
          rowKey={(row) => `${row.entry} ${row.variant}`}
          empty={
            <Text size="sm" c="dimmed">
              It never answered a request.
            </Text>
          }
        />
      </Section>
    </Panel>
  )
}
