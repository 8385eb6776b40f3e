import { Anchor, Button, Code, Group, Modal, Skeleton, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Navigate } from '@tanstack/react-router'
import { useState } from 'react'
import { z } from 'zod'
import { getTrackingRun } from '#modules/tracking/contract.ts'
import { PaveError } from '#platform/errors.ts'
import { traceLineage } from '#platform/kernel/contract.ts'
import { client, queries, read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { cancelRun, type FollowedStep, getPipeline, getRun, type Run } from '../contract.ts'
import { CacheReason } from './cache-reason.tsx'
import { Lasted } from './pipelines-page.tsx'
import { cacheText, isOver, runTones, stepTones } from './run-view.ts'
import { StartRunButton } from './start-run-form.tsx'
import { StepDetail } from './step-detail.tsx'
import { StepGraph } from './step-graph.tsx'

const PageState = z.object({ step: z.string().optional().catch(undefined) })

/** A run as it goes: where each step is, what it printed, what it made, and what went wrong. */
export function RunPage() {
  const { run } = getRouteApi('/signed-in/runs/$run').useParams()
  const { data, error } = useQuery(read(getRun, { run }, ['run', 'step', 'job']))
  if (error instanceof PaveError && error.code === 'run_not_found') return <PerhapsTracked run={run} error={error} />
  return (
    <Page
      title={data === undefined ? 'Run' : `Run of ${data.pipeline}`}
      heading={
        data && (
          <>
            Run of {data.pipeline}{' '}
            <Text span fz="md">
              <State tone={runTones[data.state]}>{data.state}</State>
            </Text>
          </>
        )
      }
      within={[
        { title: 'Pipelines', link: { to: '/pipelines' } },
        ...(data === undefined
          ? []
          : [
              {
                title: data.pipeline,
                link: { to: '/pipelines/$pipeline', params: { pipeline: data.pipeline } },
              } as const,
            ]),
      ]}
      about={data?.reason || undefined}
      actions={data !== undefined && <Actions run={data} />}
    >
      <Pending data={data} error={error} height={400} />
      {data !== undefined && <RunParts run={data} />}
    </Page>
  )
}

/** A version names its run; that of a version that came by the mlflow client is a tracked one. */
function PerhapsTracked({ run, error }: { run: string; error: Error }) {
  const tracked = useQuery({ ...read(getTrackingRun, { run }), retry: false })
  if (tracked.data !== undefined) return <Navigate to="/tracking-runs/$run" params={{ run }} replace />
  return (
    <Page title="Run">
      {tracked.error === null ? <Skeleton height={200} radius="lg" /> : <Problem error={error} />}
    </Page>
  )
}

function RunParts({ run }: { run: Run }) {
  const [{ step }, change] = usePageState(PageState)
  const fallback = run.error?.step ?? run.steps.find((one) => one.state === 'running')?.step
  const chosen = run.steps.find((one) => one.step === (step ?? fallback))
  const select = (name: string) => change({ step: name })
  return (
    <Stack>
      <Facts
        of={{
          Run: <span title={run.run}>{shortened(run.run)}</span>,
          Created: <Instant at={run.createdAt} />,
          Took: <Lasted of={run} />,
          For: <PersonName id={run.actsFor} />,
          Job: <SubjectLink kind="job" id={run.job} bare />,
          Cache: cacheText(run.steps),
          Made: <Made run={run.run} />,
        }}
      />
      {run.error !== null && <Failure error={run.error} onStep={select} />}
      <Panel>
        <Section title="Steps">
          <StepGraph steps={run.steps} selected={chosen?.step} onSelect={select} />
        </Section>
      </Panel>
      {chosen !== undefined && (
        <Panel>
          <StepDetail key={`${chosen.step} ${chosen.attempt}`} run={run.run} step={chosen} />
        </Panel>
      )}
      <Panel>
        <Section title="Steps in numbers">
          <DataTable label="Steps" columns={columnsOf(select)} rows={run.steps} rowKey={(one) => one.step} />
        </Section>
      </Panel>
      <Panel>
        <Section title="Params">
          {Object.keys(run.params).length === 0 ? (
            <Text size="sm" c="dimmed">
              The pipeline takes none.
            </Text>
          ) : (
            <Facts of={Object.fromEntries(Object.entries(run.params).map(([name, value]) => [name, String(value)]))} />
          )}
        </Section>
      </Panel>
      <EntriesAbout subject={`run:${run.run}`} title="Ledger" />
    </Stack>
  )
}

function columnsOf(select: (step: string) => void): Column<FollowedStep>[] {
  return [
    {
      title: 'Step',
      cell: ({ step }) => (
        <Anchor component="button" type="button" inherit onClick={() => select(step)}>
          {step}
        </Anchor>
      ),
    },
    { title: 'State', cell: ({ state }) => <State tone={stepTones[state]}>{state}</State> },
    {
      title: 'Attempt',
      number: true,
      cell: ({ attempt, retries }) => (attempt === 0 ? '–' : `${attempt} of ${retries + 1}`),
    },
    { title: 'Took', number: true, cell: (step) => <Lasted of={step} /> },
    {
      title: 'CPU',
      number: true,
      cell: ({ usage }) => (usage === null ? '–' : `${(usage.cpuMs / 1000).toFixed(1)} s`),
    },
    {
      title: 'Memory',
      number: true,
      cell: ({ usage }) => (usage === null ? '–' : `${Math.round(usage.maxRssMb)} MiB`),
    },
    { title: 'Cache', wrap: true, cell: ({ cache }) => <CacheReason cache={cache} /> },
  ]
}

/** What was registered or written, by the lineage. */
function Made({ run }: { run: string }) {
  const { data } = useQuery(read(traceLineage, { object: `run:${run}`, direction: 'downstream', depth: 1 }, ['run']))
  const made = (data?.edges ?? []).map(({ to }) => to).filter(({ kind }) => kind !== 'object' && kind !== 'run')
  const things = [...new Map(made.map((one) => [`${one.kind}:${one.id}`, one])).values()]
  if (things.length === 0) return '–'
  return things.slice(0, 6).map(({ kind, id }) => (
    <span key={`${kind}:${id}`}>
      <SubjectLink kind={kind} id={id} bare={kind === 'version'} />{' '}
    </span>
  ))
}

function Failure({ error, onStep }: { error: NonNullable<Run['error']>; onStep(step: string): void }) {
  const { code, message, hint, step, log } = error
  return (
    <Stack gap="xs">
      <Problem error={new PaveError(code, message, { status: 422, hint })} />
      {step !== null && (
        <Text size="sm">
          <Anchor component="button" type="button" inherit onClick={() => onStep(step)}>
            Look at step {step}
          </Anchor>
        </Text>
      )}
      {log.length > 0 && (
        <Code block tabIndex={0} aria-label="Last lines of the step">
          {log.join('\n')}
        </Code>
      )}
    </Stack>
  )
}

function Actions({ run }: { run: Run }) {
  const pipeline = useQuery({ ...read(getPipeline, { pipeline: run.pipeline }, ['pipeline']), enabled: isOver(run) })
  if (!isOver(run)) return <CancelButton run={run.run} />
  return (
    pipeline.data !== undefined && (
      <StartRunButton
        pipeline={run.pipeline}
        params={pipeline.data.spec.params}
        given={run.params}
        label={run.state === 'done' ? 'Run again' : 'Resume in a new run'}
        about="With the params of this run. Steps that were done take their outputs from the cache, so it goes on where this one stopped."
      />
    )
  )
}

function CancelButton({ run }: { run: string }) {
  const [opened, setOpened] = useState(false)
  const [reason, setReason] = useState('')
  const cancelling = useMutation({
    mutationFn: () => client.call(cancelRun, { run, reason: reason.trim() }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      setOpened(false)
    },
  })
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setOpened(true)}>
        Cancel the run
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Cancel this run" centered>
        <Stack
          component="form"
          onSubmit={(event) => {
            event.preventDefault()
            cancelling.mutate()
          }}
        >
          <Text size="sm">
            The steps that run are stopped, and those that wait never begin. What was done stays in the cache, so that a
            new run goes on from there.
          </Text>
          <Textarea
            label="Reason"
            description="Stays in the ledger with the run"
            value={reason}
            maxLength={1000}
            rows={3}
            data-autofocus
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          {cancelling.error !== null && <Problem error={cancelling.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setOpened(false)}>
              Let it run
            </Button>
            <Button type="submit" color="red" loading={cancelling.isPending}>
              Cancel the run
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
