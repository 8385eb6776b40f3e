import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type LedgerEntry, listEntries } from '../platform/kernel/contract.ts'
import { type Column, OperationTable } from './design/data-table.tsx'
import { Instant } from './design/instant.tsx'
import { Panel } from './design/panel.ts'
import { Section } from './design/section.tsx'
import { State, type Tone } from './design/state.tsx'
import { PersonName } from './person-name.tsx'

const tones: Record<LedgerEntry['outcome'], Tone> = { done: 'good', pending: 'busy', refused: 'warn', failed: 'bad' }

const columns: readonly Column<LedgerEntry>[] = [
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
      <>
        <State tone={tones[outcome]}>{outcome}</State>{' '}
        {errorCode !== undefined && (
          <Text span size="sm" c="dimmed">
            {errorCode}
          </Text>
        )}
      </>
    ),
  },
  { title: 'By', cell: ({ actor }) => <PersonName id={actor.id} /> },
  { title: 'When', cell: ({ at }) => <Instant at={at} /> },
  {
    title: 'Reason',
    wrap: true,
    cell: ({ facts = {} }) => {
      const reason = facts['reason'] ?? facts['how'] ?? facts['note'] ?? facts['skipped']
      if (typeof reason === 'string' && reason !== '') return reason
      const { value, threshold } = facts
      if (typeof value !== 'number' || typeof threshold !== 'number') return null
      return `${value.toFixed(3)}, the limit is ${threshold.toFixed(3)}`
    },
  },
]

/** What the ledger says of one thing (`kind:id`), newest first. */
export function EntriesAbout(props: { subject: string; title: string; operation?: string }) {
  const { subject, title, operation } = props
  const kind = subject.slice(0, subject.indexOf(':'))
  return (
    <Panel>
      <Section title={title}>
        <OperationTable
          label={title}
          operation={listEntries}
          input={(cursor) => ({
            subject,
            limit: 20,
            cursor,
            ...(operation !== undefined && { operations: operation }),
          })}
          about={[kind]}
          noun="entry"
          columns={columns}
          rowKey={(entry) => entry.id}
          empty={<Text c="dimmed">The ledger says nothing of it.</Text>}
        />
      </Section>
    </Panel>
  )
}
