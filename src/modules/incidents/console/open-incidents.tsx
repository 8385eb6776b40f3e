import { Badge, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { read } from '../../../console/api.ts'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import tables from '../../../console/design/tables.module.css'
import { type Incident, listIncidents } from '../contract.ts'

const colours: Record<Incident['severity'], string> = { low: 'gray', medium: 'yellow', high: 'red' }

/** What needs somebody's attention; nothing at all when no incident is open. */
export function OpenIncidents() {
  const { data, error } = useQuery(read(listIncidents, { state: 'open', limit: 10 }, ['incident']))
  if (error) return <Problem error={error} />
  if (data === undefined || data.items.length === 0) return null
  return (
    <Panel>
      <Section
        title={`Open incidents: ${count(data.items.length)}${data.nextCursor === null ? '' : ' and more'}`}
        aside={
          <Text size="sm" c="dimmed">
            <code>pave get-incident NAME</code> shows the timeline
          </Text>
        }
      >
        <div className={tables.scroll}>
          <Table className={tables.stacking}>
            <Table.Tbody>
              {data.items.map((incident) => (
                <IncidentRow key={incident.id} incident={incident} />
              ))}
            </Table.Tbody>
          </Table>
        </div>
      </Section>
    </Panel>
  )
}

function IncidentRow({ incident }: { incident: Incident }) {
  return (
    <Table.Tr>
      <Table.Td fw={550}>{incident.incident}</Table.Td>
      <Table.Td>
        <Badge color={colours[incident.severity]}>{incident.severity}</Badge>
      </Table.Td>
      <Table.Td className={tables.wrapping}>{incident.title}</Table.Td>
      <Table.Td>
        {incident.mitigatedAt === null ? (
          <Badge color="orange">not mitigated</Badge>
        ) : (
          <Badge color="teal">mitigated</Badge>
        )}
      </Table.Td>
      <Table.Td c="dimmed">
        opened <Instant at={incident.openedAt} />
      </Table.Td>
    </Table.Tr>
  )
}
