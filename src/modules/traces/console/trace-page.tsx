import { Anchor, Badge, Code, Group, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { z } from 'zod'
import { getExperiment } from '#modules/tracking/contract.ts'
import { read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { count, counted } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { getTrace, listSpans, SpanId, type Trace } from '../contract.ts'
import { Assessments } from './assessments.tsx'
import { SpanDetails } from './span-details.tsx'
import styles from './span-waterfall.module.css'
import { SpanWaterfall } from './span-waterfall.tsx'
import { nanoseconds, stateTones, stateWords } from './trace-state.ts'

const PageState = z.object({ span: SpanId.optional().catch(undefined) })

/** One request to an application: the tree of what was done for it, and what each step was given and made. */
export function TracePage() {
  const { trace } = getRouteApi('/signed-in/traces/$trace').useParams()
  const { data, error } = useQuery(read(getTrace, { trace }, ['trace', 'assessment']))
  // As long as it is, comparing it with what was there before would take longer than drawing it.
  const spans = useQuery({ ...read(listSpans, { trace }, ['trace']), structuralSharing: false })
  const [{ span = spans.data?.span[0] }, change] = usePageState(PageState)
  const title = data?.name ?? `Trace ${trace.slice(0, 11)}…`
  return (
    <Page
      title={title}
      heading={
        data && (
          <>
            {title}{' '}
            <Text span fz="md">
              <State tone={stateTones[data.state]}>{stateWords[data.state]}</State>
            </Text>
          </>
        )
      }
      within={[{ title: 'Traces', link: { to: '/traces' } }]}
    >
      {error !== null && <Problem error={error} />}
      {data === undefined && error === null && <Skeleton height={300} radius="lg" />}
      {data !== undefined && <TraceFacts trace={data} />}
      {error === null && spans.error !== null && <Problem error={spans.error} />}
      {spans.data !== undefined && spans.data.span.length > 0 && (
        <div className={styles.beside}>
          <Panel miw={0}>
            <Section
              title="Spans"
              aside={
                <Text size="sm" c="dimmed">
                  {counted(spans.data.span.length, 'span')}
                </Text>
              }
            >
              <SpanWaterfall spans={spans.data} selected={span} onSelect={(chosen) => change({ span: chosen })} />
            </Section>
          </Panel>
          <Panel miw={0}>{span !== undefined && <SpanDetails trace={trace} span={span} />}</Panel>
        </div>
      )}
      {spans.data?.span.length === 0 && (
        <Panel>
          <Text size="sm" c="dimmed">
            None of its spans have come yet.
          </Text>
        </Panel>
      )}
      {data !== undefined && (
        <>
          <Assessments of={data.assessments} />
          <Labels trace={data} />
          <EntriesAbout subject={`trace:${data.trace}`} title="Ledger" />
        </>
      )}
    </Page>
  )
}

function TraceFacts({ trace }: { trace: Trace }) {
  const experiment = useQuery(read(getExperiment, { experiment: trace.experiment }, ['experiment']))
  const { tokens, cost } = trace
  return (
    <Facts
      of={{
        Trace: <Code>{trace.trace}</Code>,
        Experiment: (
          <Anchor
            inherit
            renderRoot={(props) => (
              <Link {...props} to="/experiments/$experiment" params={{ experiment: trace.experiment }} />
            )}
          >
            {experiment.data?.name ?? trace.experiment}
          </Anchor>
        ),
        Started: <Instant at={new Date(trace.startedAt).toISOString()} />,
        Took: trace.durationMs === null ? undefined : nanoseconds(trace.durationMs * 1e6),
        Tokens:
          tokens === null
            ? undefined
            : `${count(tokens.total)} (${count(tokens.input)} in, ${count(tokens.output)} out)`,
        Cost: cost === null ? undefined : `$${Number(cost.toPrecision(3))}`,
        Session: trace.metadata['mlflow.trace.session'],
        User: trace.metadata['mlflow.trace.user'],
      }}
    />
  )
}

/** Told above, or MLflow's own bookkeeping. */
const shownElsewhere = /^mlflow\.(trace[A-Z._]|trace\b)/

function Labels({ trace: { tags, metadata } }: { trace: Trace }) {
  const all = [...Object.entries(tags), ...Object.entries(metadata)].filter(
    ([key, value]) => value !== '' && !shownElsewhere.test(key),
  )
  if (all.length === 0) return null
  return (
    <Panel>
      <Section title="Tags and metadata">
        <Group gap={6}>
          {all.map(([key, value]) => (
            <Badge key={`${key} ${value}`} color="gray" tt="none" maw="100%" title={`${key}: ${value}`}>
              {key}: {value.slice(0, 120)}
            </Badge>
          ))}
        </Group>
      </Section>
    </Panel>
  )
}
