import { Badge, Skeleton, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type LedgerEntry, listEntries } from '../platform/kernel/contract.ts'
import { read } from './api.ts'
import { count } from './design/format.ts'
import { Instant } from './design/instant.tsx'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { Section } from './design/section.tsx'
import tables from './design/tables.module.css'

const colours: Record<LedgerEntry['outcome'], string> = {
  done: 'teal',
  pending: 'yellow',
  refused: 'orange',
  failed: 'red',
}

/** The newest entries of the ledger, as they come. */
export function LedgerEntries() {
  const { data, error, isPending } = useQuery(read(listEntries, { limit: 20 }, ['entry']))
  return (
    <Panel>
      <Section
        title="Last ledger entries"
        aside={
          <Text size="sm" c="dimmed">
            Every change leaves one
          </Text>
        }
      >
        {error && <Problem error={error} />}
        {isPending && <Skeleton height={200} />}
        {data !== undefined && (
          <div className={tables.scroll}>
            <Table className={tables.stacking}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th className={tables.number}>Leaf</Table.Th>
                  <Table.Th>Time</Table.Th>
                  <Table.Th>Operation</Table.Th>
                  <Table.Th>Outcome</Table.Th>
                  <Table.Th>Subjects</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {data.items.map((entry) => (
                  <EntryRow key={entry.id} entry={entry} />
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </Section>
    </Panel>
  )
}

function EntryRow({ entry }: { entry: LedgerEntry }) {
  return (
    <Table.Tr>
      <Table.Td className={tables.number} c="dimmed" title={entry.leaf === null ? 'Not sealed yet' : undefined}>
        {entry.leaf === null ? '…' : count(entry.leaf)}
      </Table.Td>
      <Table.Td>
        <Instant at={entry.at} />
      </Table.Td>
      <Table.Td fw={550}>{entry.operation}</Table.Td>
      <Table.Td>
        <Badge color={colours[entry.outcome]}>{entry.outcome}</Badge>{' '}
        {entry.errorCode !== undefined && (
          <Text span size="sm" c="dimmed">
            {entry.errorCode}
          </Text>
        )}
      </Table.Td>
      <Table.Td className={tables.wrapping}>
        {entry.subjects.slice(0, 4).map(({ kind, id }) => (
          <span key={`${kind}:${id}`} className={tables.subject} title={`${kind}:${id}`}>
            <Text span size="sm" c="dimmed">
              {kind}
            </Text>{' '}
            {shortened(id)}
          </span>
        ))}
        {entry.subjects.length > 4 && (
          <Text span size="sm" c="dimmed">
            and {count(entry.subjects.length - 4)} more
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  )
}

/** Digests and uuids are told apart by their first and last digits; names stay whole. */
function shortened(id: string): string {
  const bare = id.replace(/^sha256:/, '')
  if (/^[0-9a-f]{64}$/.test(bare)) return `${bare.slice(0, 12)}…`
  return /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(bare) ? `…${bare.slice(-12)}` : id
}
