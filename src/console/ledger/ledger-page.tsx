import { Anchor, Button, Group, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type LedgerEntry, listEntries } from '../../platform/kernel/contract.ts'
import { type Column, OperationTable } from '../design/data-table.tsx'
import { Empty } from '../design/empty.tsx'
import { count } from '../design/format.ts'
import { Instant } from '../design/instant.tsx'
import { Page } from '../design/page.tsx'
import { Panel } from '../design/panel.ts'
import tables from '../design/tables.module.css'
import { usePageState } from '../page-state.ts'
import { PersonName } from '../person-name.tsx'
import { SubjectLink } from '../subject-link.tsx'
import { LedgerFilters } from './ledger-filters.tsx'
import { LedgerView } from './ledger-view.ts'
import { Outcome } from './outcome.tsx'

/** Everything that was changed, or that somebody tried to change. */
export function LedgerPage() {
  const [view, change] = usePageState(LedgerView)
  const filter = Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined))
  const filtered = Object.keys(filter).length > 0
  return (
    <Page
      title="Ledger"
      about="Every change leaves one entry, sealed into a signed Merkle tree. An entry’s page proves that it is there."
    >
      <LedgerFilters view={view} change={change} />
      <Panel>
        <OperationTable
          label="Ledger entries"
          operation={listEntries}
          input={(cursor) => ({ ...filter, limit: 50, cursor })}
          about={['entry']}
          noun="entry"
          columns={columns}
          rowKey={(entry) => entry.id}
          empty={
            filtered ? (
              <Group>
                <Text>No entry is like that.</Text>
                <Button variant="default" size="xs" renderRoot={(props) => <Link {...props} to="/ledger" />}>
                  Show all
                </Button>
              </Group>
            ) : (
              <Empty title="The ledger is empty" command="pave apply examples/flight-delays">
                The first change makes its first entry:
              </Empty>
            )
          }
        />
      </Panel>
    </Page>
  )
}

const columns: readonly Column<LedgerEntry>[] = [
  {
    title: 'Leaf',
    number: true,
    cell: ({ leaf }) => (
      <Text span size="sm" c="dimmed" title={leaf === null ? 'Sealed in a moment' : 'Its place in the sealed tree'}>
        {leaf === null ? '…' : count(leaf)}
      </Text>
    ),
  },
  { title: 'Time', cell: ({ at }) => <Instant at={at} /> },
  {
    title: 'Operation',
    cell: ({ id, operation }) => (
      <Anchor inherit renderRoot={(props) => <Link {...props} to="/ledger/$entry" params={{ entry: id }} />}>
        {operation}
      </Anchor>
    ),
  },
  { title: 'Outcome', cell: (entry) => <Outcome entry={entry} /> },
  { title: 'By', cell: ({ actor }) => <PersonName id={actor.id} /> },
  {
    title: 'Subjects',
    wrap: true,
    cell: ({ subjects }) => (
      <>
        {subjects.slice(0, 4).map(({ kind, id }) => (
          <span key={`${kind}:${id}`} className={tables.subject}>
            <SubjectLink kind={kind} id={id} />
          </span>
        ))}
        {subjects.length > 4 && (
          <Text span size="sm" c="dimmed">
            and {count(subjects.length - 4)} more
          </Text>
        )}
      </>
    ),
  },
]
