import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type LedgerEntry, listEntries } from '../platform/kernel/contract.ts'
import { read } from './api.ts'
import { type Column, DataTable } from './design/data-table.tsx'
import { Instant } from './design/instant.tsx'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { Section } from './design/section.tsx'
import { State, type Tone } from './design/state.tsx'
import { PersonName } from './person-name.tsx'

const limit = 20

/** What the ledger holds about one thing, newest first. */
export function EntriesAbout({ kind, id }: { kind: string; id: string }) {
  const subject = `${kind}:${id}`
  const { data, error } = useQuery(read(listEntries, { subject, limit }, [kind]))
  return (
    <Panel>
      <Section
        title="Ledger"
        aside={
          <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/ledger" search={{ subject }} />}>
            All entries about it
          </Anchor>
        }
      >
        {error !== null && <Problem error={error} />}
        {data?.items.length === 0 && (
          <Text size="sm" c="dimmed">
            No entry names it.
          </Text>
        )}
        {data !== undefined && data.items.length > 0 && (
          <DataTable label="Ledger entries" columns={columns} rows={data.items} rowKey={(entry) => entry.id} />
        )}
        {data?.nextCursor != null && (
          <Text size="sm" c="dimmed" mt="xs">
            The newest {limit}.
          </Text>
        )}
      </Section>
    </Panel>
  )
}

const tones: Record<LedgerEntry['outcome'], Tone> = { done: 'good', pending: 'warn', refused: 'bad', failed: 'bad' }

const columns: readonly Column<LedgerEntry>[] = [
  { title: 'Time', cell: ({ at }) => <Instant at={at} /> },
  {
    title: 'Operation',
    cell: ({ id, operation }) => (
      <Anchor inherit renderRoot={(props) => <Link {...props} to="/ledger/$entry" params={{ entry: id }} />}>
        {operation}
      </Anchor>
    ),
  },
  {
    title: 'Outcome',
    cell: ({ outcome, errorCode }) => (
      <State tone={tones[outcome]}>
        {outcome} {errorCode}
      </State>
    ),
  },
  { title: 'By', cell: ({ actor }) => <PersonName id={actor.id} /> },
]
