import { Anchor, Progress } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type Job, listJobs } from '../platform/kernel/contract.ts'
import { read } from './api.ts'
import { Age } from './design/age.tsx'
import { type Column, DataTable } from './design/data-table.tsx'
import { percent } from './design/format.ts'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { Section } from './design/section.tsx'

const columns: readonly Column<Job>[] = [
  {
    title: 'Job',
    cell: ({ id, job }) => (
      <Anchor fw={600} renderRoot={(props) => <Link {...props} to="/jobs/$job" params={{ job: id }} />}>
        {job}
      </Anchor>
    ),
  },
  {
    title: 'Progress',
    cell: ({ job, progress }) => (
      <span style={{ display: 'inline-flex', alignItems: 'center', gap: '0.5rem' }}>
        <Progress value={progress * 100} w={90} size="sm" aria-label={`Progress of ${job}`} />
        {percent(Number(progress.toFixed(2)))}
      </span>
    ),
  },
  { title: 'Doing', wrap: true, cell: ({ progressText }) => progressText },
  {
    title: 'Running for',
    number: true,
    cell: ({ startedAt }) => (startedAt === null ? '–' : <Age at={startedAt} suffix="" />),
  },
]

/** Long work under way; nothing at all when there is none. */
export function RunningJobs() {
  const { data, error } = useQuery(read(listJobs, { state: 'running', limit: 10 }, ['job']))
  if (error) return <Problem error={error} />
  if (data === undefined || data.items.length === 0) return null
  return (
    <Panel>
      <Section
        title="Running jobs"
        aside={
          data.nextCursor !== null && (
            <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/jobs" />}>
              All
            </Anchor>
          )
        }
      >
        <DataTable label="Running jobs" columns={columns} rows={data.items} rowKey={(job) => job.id} />
      </Section>
    </Panel>
  )
}
