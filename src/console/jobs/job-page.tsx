import { Button, Progress, Skeleton, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { PaveError } from '../../platform/errors.ts'
import { cancelJob, getJob, type Job, retryJob } from '../../platform/kernel/contract.ts'
import { client, queries, read } from '../api.ts'
import { useNow } from '../design/age.tsx'
import { Facts } from '../design/facts.tsx'
import { duration } from '../design/format.ts'
import { Instant } from '../design/instant.tsx'
import { Json } from '../design/json.tsx'
import { Page } from '../design/page.tsx'
import { Panel } from '../design/panel.ts'
import { Problem } from '../design/problem.tsx'
import { Section } from '../design/section.tsx'
import { EntriesAbout } from '../entries-about.tsx'
import { SubjectLink } from '../subject-link.tsx'
import { JobState, runningTime } from './job-view.tsx'

const route = getRouteApi('/signed-in/jobs/$job')

const within = [{ title: 'Jobs', link: { to: '/jobs' } }] as const

/** One piece of long work: how far it is, how it ended, what to do about it. */
export function JobPage() {
  const { job: id } = route.useParams()
  const now = useNow(1_000)
  const { data: job, error } = useQuery(read(getJob, { job: id }, ['job']))
  const changing = useMutation({
    mutationFn: (operation: typeof cancelJob | typeof retryJob) => client.call(operation, { job: id }),
    onSuccess: () => queries.invalidateQueries(),
  })
  if (job === undefined) {
    return (
      <Page title="Job" within={within}>
        {error === null ? <Skeleton height={300} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  const time = runningTime(job, now)
  const over = job.state !== 'queued' && job.state !== 'running'
  const again = job.state === 'failed' || job.state === 'cancelled'
  return (
    <Page
      title={job.job}
      within={within}
      about={job.id}
      actions={
        <>
          {!over && (
            <Button variant="default" loading={changing.isPending} onClick={() => changing.mutate(cancelJob)}>
              Cancel
            </Button>
          )}
          {again && (
            <Button loading={changing.isPending} onClick={() => changing.mutate(retryJob)}>
              Retry
            </Button>
          )}
        </>
      }
    >
      {changing.error !== null && <Problem error={changing.error} />}
      <Panel>
        <Facts
          of={{
            State: <JobState job={job} />,
            Asked: <Instant at={job.createdAt} />,
            Started: job.startedAt ? <Instant at={job.startedAt} /> : undefined,
            Ended: job.endedAt ? <Instant at={job.endedAt} /> : undefined,
            'Ran for': time === undefined ? undefined : duration(time),
            Attempt: job.attempt,
            Of: <About input={job.input} />,
          }}
        />
        {job.state === 'running' && (
          <Progress value={job.progress * 100} mt="md" aria-label="How far it is" animated={false} />
        )}
        {job.progressText !== '' && (
          <Text size="sm" c="dimmed" mt="xs" role="status">
            {job.progressText}
          </Text>
        )}
      </Panel>
      <Failure job={job} />
      <Panel>
        <Section title="Input">
          <Json label="Input" value={job.input} />
        </Section>
      </Panel>
      {job.result !== null && (
        <Panel>
          <Section title="Result">
            <Json label="Result" value={job.result} />
          </Section>
        </Panel>
      )}
      <EntriesAbout subject={`job:${id}`} title="Ledger" />
    </Page>
  )
}

function Failure({ job: { error } }: { job: Job }) {
  if (error === null) return null
  return <Problem error={new PaveError(error.code, error.message, { status: 500, hint: error.hint })} />
}

/** The run or the approval that the job carries out, when its input names one. */
function About({ input }: { input: unknown }) {
  if (typeof input !== 'object' || input === null) return '—'
  const named = [
    { kind: 'run', id: Reflect.get(input, 'run') },
    { kind: 'pending-operation', id: Reflect.get(input, 'pending') },
  ].find(({ id }) => typeof id === 'string')
  return named === undefined ? '—' : <SubjectLink kind={named.kind} id={String(named.id)} />
}
