import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { traceLineage } from '../../platform/kernel/contract.ts'
import { read } from '../api.ts'
import { DataTable } from '../design/data-table.tsx'
import { Panel } from '../design/panel.ts'
import { Problem } from '../design/problem.tsx'
import { Section } from '../design/section.tsx'
import { SubjectLink } from '../subject-link.tsx'

/** What a thing was made from and what was made of it, each with the ledger entry that says so. */
export function LineageAround({ kind, id }: { kind: string; id: string }) {
  const object = `${kind}:${id}`
  return (
    <>
      <Edges object={object} direction="upstream" title="Made from" />
      <Edges object={object} direction="downstream" title="What came of it" />
    </>
  )
}

function Edges(props: { object: string; direction: 'upstream' | 'downstream'; title: string }) {
  const { object, direction, title } = props
  const { data, error } = useQuery(read(traceLineage, { object, direction }, ['entry']))
  return (
    <Panel mb="md">
      <Section
        title={title}
        aside={
          <Anchor size="sm" renderRoot={(link) => <Link {...link} to="/lineage/$object" params={{ object }} />}>
            As a graph
          </Anchor>
        }
      >
        {error !== null && <Problem error={error} />}
        {data?.edges.length === 0 && (
          <Text size="sm" c="dimmed">
            Nothing is recorded.
          </Text>
        )}
        {data !== undefined && data.edges.length > 0 && (
          <DataTable
            label={title}
            rows={data.edges.slice(0, 100)}
            rowKey={({ from, to, entry }) => `${from.kind}:${from.id} ${to.kind}:${to.id} ${entry}`}
            columns={[
              { title: 'From', wrap: true, cell: ({ from }) => <SubjectLink kind={from.kind} id={from.id} /> },
              { title: 'To', wrap: true, cell: ({ to }) => <SubjectLink kind={to.kind} id={to.id} /> },
              {
                title: 'By',
                cell: ({ operation, entry }) => (
                  <Anchor inherit renderRoot={(link) => <Link {...link} to="/ledger/$entry" params={{ entry }} />}>
                    {operation}
                  </Anchor>
                ),
              },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}
