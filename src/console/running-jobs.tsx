import { Anchor, Text } from '@mantine/core'
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
        <table className={tables.table} aria-label="Running jobs">
          <tbody>
            {data.items.map((job) => (
              <tr key={job.id}>
                <td>
                  <Anchor inherit renderRoot={(props) => <Link {...props} to="/jobs/$job" params={{ job: job.id }} />}>
                    {job.job}
                  </Anchor>
                </td>
                <td className={tables.number}>{percent(job.progress)}</td>
                <td style={{ width: '60%' }}>
                  <Text span c="dimmed">
                    {job.progressText}
                  </Text>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Section>
    </Panel>
  )
}
