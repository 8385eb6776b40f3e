import { Anchor, Group, Select, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { type Job, listJobs } from '../../platform/kernel/contract.ts'
import { useNow } from '../design/age.tsx'
import { type Column, OperationTable } from '../design/data-table.tsx'
import { Empty } from '../design/empty.tsx'
import { duration } from '../design/format.ts'
import { Instant } from '../design/instant.tsx'
import { Page } from '../design/page.tsx'
import { Panel } from '../design/panel.ts'
import { SearchBox } from '../design/search-box.tsx'
import { usePageState } from '../page-state.ts'
import { JobState, jobStates, runningTime } from './job-view.tsx'

const View = z.object({
  state: z.enum(jobStates).optional().catch(undefined),
  job: z.string().max(100).optional().catch(undefined),
})

/** Long work: what runs, what is done, what failed. */
export function JobsPage() {
  const [{ state, job }, change] = usePageState(View)
  return (
    <Page
      title="Jobs"
      about="Long work that Pave does by itself or was asked for; failed ones stay until somebody retries them."
    >
      <Group gap="xs" component="search" aria-label="Filter the jobs">
        <Select
          aria-label="State"
          placeholder="Any state"
          clearable
          w={150}
          data={jobStates}
          value={state ?? null}
          onChange={(value) => change({ state: jobStates.find((one) => one === value) })}
          clearButtonProps={{ 'aria-label': 'Any state' }}
        />
        <SearchBox
          label="Job, such as run-pipeline"
          value={job ?? ''}
          onChange={(name) => change({ job: name.trim() || undefined })}
        />
      </Group>
      <Panel>
        <OperationTable
          label="Jobs"
          operation={listJobs}
          input={(cursor) => ({ limit: 50, cursor, ...(state && { state }), ...(job && { job }) })}
          about={['job']}
          noun="job"
          columns={columns}
          rowKey={(one) => one.id}
          empty={
            state === undefined && job === undefined ? (
              <Empty title="No job has run yet" command="pave list-pipelines">
                Starting a pipeline makes the first one:
              </Empty>
            ) : (
              <Text>No job is like that.</Text>
            )
          }
        />
      </Panel>
    </Page>
  )
}

const columns: readonly Column<Job>[] = [
  {
    title: 'Job',
    cell: ({ id, job }) => (
      <Anchor inherit fw={550} renderRoot={(props) => <Link {...props} to="/jobs/$job" params={{ job: id }} />}>
        {job}
      </Anchor>
    ),
  },
  { title: 'State', cell: (job) => <JobState job={job} /> },
  { title: 'Asked', cell: ({ createdAt }) => <Instant at={createdAt} /> },
  { title: 'Ran for', number: true, cell: (job) => <RanFor job={job} /> },
  { title: 'Attempt', number: true, cell: ({ attempt }) => attempt },
  {
    title: 'What happened',
    wrap: true,
    cell: ({ error, progressText }) => (
      <Text
        span
        size="sm"
        c={error === null ? 'dimmed' : 'var(--bad)'}
        lineClamp={2}
        style={{ overflowWrap: 'anywhere' }}
      >
        {error?.message ?? progressText}
      </Text>
    ),
  },
]

function RanFor({ job }: { job: Job }) {
  const now = useNow(1_000)
  const time = runningTime(job, now)
  return time === undefined ? null : duration(time)
}
