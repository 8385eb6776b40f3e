import { Anchor, Text } from '@mantine/core'
import type { AnswerOf } from '#platform/operation.ts'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { counted, duration, percentOfBasisPoints } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { EntryLink } from '../../../console/entry-link.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { listServedSpans } from '../served-contract.ts'

type Change = AnswerOf<typeof listServedSpans>['items'][number]

interface ServedChangesProps {
  environment: string
  endpoint: string
  onAt(at: string): void
}

/** Each change of what answers, newest first, with its entry in the ledger and how long the nodes took. */
export function ServedChanges({ environment, endpoint, onAt }: ServedChangesProps) {
  const columns: readonly Column<Change>[] = [
    {
      title: 'From',
      cell: ({ from }) => (
        <Anchor component="button" type="button" inherit onClick={() => onAt(from)}>
          <Instant at={from} />
        </Anchor>
      ),
    },
    { title: 'Answered', wrap: true, cell: ({ traffic }) => wordsOf(traffic) },
    {
      title: 'For',
      number: true,
      cell: ({ from, until }) => (until === null ? 'until now' : duration(Date.parse(until) - Date.parse(from))),
    },
    {
      title: 'Because',
      cell: ({ change, entry }) => <EntryLink entry={entry}>{change.replace('-', ' ')}</EntryLink>,
    },
    { title: 'By', cell: ({ byName, by }) => byName ?? <PersonName id={by} /> },
    { title: 'Nodes took it', cell: ({ from, taken }) => <Taken from={from} taken={taken} /> },
    { title: 'Why', wrap: true, cell: ({ reason }) => reason },
  ]
  return (
    <div style={{ marginTop: '1rem' }}>
      <OperationTable
        label="Changes of what answers"
        operation={listServedSpans}
        input={(cursor) => ({ environment, endpoint, limit: 8, cursor })}
        about={['release', 'endpoint', 'node']}
        noun="change"
        columns={columns}
        rowKey={(row) => row.entry}
        empty={null}
      />
    </div>
  )
}

function wordsOf(traffic: Change['traffic']): string {
  if (traffic.length === 0) return 'nothing'
  return traffic
    .map(({ version, variant, weight }) =>
      variant === 'shadow'
        ? `${version} got copies of ${percentOfBasisPoints(weight)}`
        : `${version} ${percentOfBasisPoints(weight)}`,
    )
    .join(', ')
}

function Taken({ from, taken: { nodes, first, last } }: Pick<Change, 'from' | 'taken'>) {
  if (first === null || last === null) {
    return (
      <Text span size="sm" c="dimmed">
        none said so
      </Text>
    )
  }
  const after = (at: string) => duration(Math.max(1, Date.parse(at) - Date.parse(from)))
  return (
    <span title={`first after ${after(first)}, last after ${after(last)}`}>
      {counted(nodes, 'node')} in {after(last)}
    </span>
  )
}
