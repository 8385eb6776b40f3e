import { Anchor, Table } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { listJobs } from '../platform/kernel/contract.ts'
import { read } from './api.ts'
import { percent } from './design/format.ts'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { Section } from './design/section.tsx'
import tables from './design/tables.module.css'

/** Long work under way; nothing at all when there is none. */
export function RunningJobs() {
  const { data, error } = useQuery(read(listJobs, { state: 'running', limit: 10 }, ['job']))
  if (error) return <Problem error={error} />
  if (data === undefined || data.items.length === 0) return null
  return (
    <Panel>
      <Section title="Running jobs">
        <Table aria-label="Running jobs">
          <Table.Tbody>
            {data.items.map((job) => (
              <Table.Tr key={job.id}>
                <Table.Td fw={550}>
                  <Anchor inherit renderRoot={(props) => <Link {...props} to="/jobs/$job" params={{ job: job.id }} />}>
                    {job.job}
                  </Anchor>
                </Table.Td>
                <Table.Td className={tables.number}>{percent(job.progress)}</Table.Td>
                <Table.Td w="60%" c="dimmed">
                  {job.progressText}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Section>
    </Panel>
  )
}
