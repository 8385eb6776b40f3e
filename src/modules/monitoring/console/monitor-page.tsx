import { Anchor, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { z } from 'zod'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { count, counted } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import {
  type Evaluation,
  FindingKind,
  getMonitor,
  listEvaluations,
  type Metric,
  type MonitorSpec,
} from '../contract.ts'
import { DistributionComparison } from './distribution-comparison.tsx'
import { FindingList } from './finding-list.tsx'
import { MetricHistory } from './metric-history.tsx'
import styles from './monitor.module.css'
import { byDanger, dangerOf, limitSign, measured, subjectOf, verdictOf, watchesOf } from './monitor-view.ts'

const route = getRouteApi('/signed-in/monitors/$environment/$monitor')

const PageState = z.object({
  kind: FindingKind.optional().catch(undefined),
  feature: z.string().optional().catch(undefined),
})

/** One monitor: what it compares, what it saw last, and how that came. */
export function MonitorPage() {
  const { environment, monitor } = route.useParams()
  const known = useQuery(read(getMonitor, { environment, monitor }, ['monitor']))
  const evaluations = useQuery(read(listEvaluations, { environment, monitor, limit: 1 }, ['monitor']))
  const within = [{ title: 'Monitors', link: { to: '/monitors' as const } }]
  const title = `${environment}/${monitor}`
  const error = known.error ?? evaluations.error
  if (known.data === undefined || evaluations.data === undefined) {
    return (
      <Page title={title} within={within}>
        {error === null ? <Skeleton height={280} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  const { spec } = known.data
  const newest = evaluations.data.items[0]
  return (
    <Page title={title} within={within} about={spec.description || undefined}>
      <Declaration environment={environment} spec={spec} newest={newest} />
      {newest === undefined ? (
        <Panel>
          <Text>
            It has not evaluated anything yet. The first window of {spec.window} ends when requests of event time after
            it arrive.
          </Text>
        </Panel>
      ) : (
        <LastEvaluation evaluation={newest} endpoint={spec.endpoint} />
      )}
      <FindingList environment={environment} monitor={monitor} />
    </Page>
  )
}

interface DeclarationProps {
  environment: string
  spec: MonitorSpec
  newest: Evaluation | undefined
}

function Declaration({ environment, spec, newest }: DeclarationProps) {
  return (
    <Panel>
      <Section title="What it compares">
        <Facts
          of={{
            Endpoint: <SubjectLink kind="endpoint" id={`${environment}/${spec.endpoint}`} bare />,
            'Looks back': `${spec.window} of event time`,
            Every: `${spec.every} of event time`,
            'Says nothing below': `${counted(spec.minimum.predictions, 'prediction')} or ${counted(spec.minimum.labels, 'label')}`,
            'A new finding starts':
              spec.retrain === undefined ? (
                'nothing'
              ) : (
                <>
                  <SubjectLink kind="pipeline" id={spec.retrain.pipeline} bare />, at most once in{' '}
                  {spec.retrain.cooldown}
                </>
              ),
            'Last window':
              newest === undefined ? undefined : (
                <>
                  <Instant at={newest.from} /> to <Instant at={newest.at} />
                </>
              ),
          }}
        />
        <ul className={styles.watches}>
          {watchesOf(spec).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </Section>
    </Panel>
  )
}

const keyOf = ({ kind, feature }: Pick<Metric, 'kind' | 'feature'>) => `${kind} ${feature ?? ''}`

function LastEvaluation({ evaluation, endpoint }: { evaluation: Evaluation; endpoint: string }) {
  const { environment, monitor, metrics } = evaluation
  const [{ kind, feature }] = usePageState(PageState)
  const sorted = byDanger(metrics)
  const chosen = sorted.find((metric) => metric.kind === kind && (metric.feature ?? undefined) === feature) ?? sorted[0]
  const columns: readonly Column<Metric>[] = [
    {
      title: 'Metric',
      cell: (metric) => (
        <Anchor
          inherit
          {...(chosen !== undefined && keyOf(metric) === keyOf(chosen) && { fw: 650, 'aria-current': true })}
          renderRoot={(props) => (
            <Link
              {...props}
              to="."
              search={{ kind: metric.kind, feature: metric.feature ?? undefined }}
              resetScroll={false}
              replace
            />
          )}
        >
          {subjectOf(metric)}
        </Anchor>
      ),
    },
    {
      title: 'Verdict',
      cell: (metric) => {
        const { tone, word } = verdictOf(metric)
        return <State tone={tone}>{word}</State>
      },
    },
    {
      title: 'Value',
      number: true,
      cell: (metric) => (
        <span className={styles.value}>
          <span className={styles.bar} aria-hidden="true">
            <span
              style={{ width: `${Math.min(100, Math.max(0, dangerOf(metric)) * 100)}%` }}
              data-breached={metric.breached === true}
            />
          </span>
          {metric.value === null ? '–' : measured(metric.kind, metric.value)}
        </span>
      ),
    },
    {
      title: 'Limit',
      number: true,
      cell: ({ kind: ofKind, threshold }) =>
        threshold === null ? 'none' : `${limitSign(ofKind)} ${threshold.toFixed(3)}`,
    },
    {
      title: 'Rows',
      number: true,
      cell: ({ rows }) => (
        <>
          {count(rows)}{' '}
          <Text span size="sm" c="dimmed" hiddenFrom="sm">
            rows
          </Text>
        </>
      ),
    },
  ]
  return (
    <>
      {chosen !== undefined && (
        <Panel>
          <Section title={`Over time: ${subjectOf(chosen)}`}>
            <MetricHistory environment={environment} monitor={monitor} metric={chosen} />
          </Section>
        </Panel>
      )}
      {chosen !== undefined && (chosen.kind === 'drift' || chosen.kind === 'prediction_drift') && (
        <Panel>
          <Section title={`Training against the last window: ${chosen.feature ?? 'prediction'}`}>
            <DistributionComparison
              environment={environment}
              endpoint={endpoint}
              version={evaluation.version}
              feature={chosen.feature}
              window={{ from: evaluation.from, to: evaluation.at }}
            />
          </Section>
        </Panel>
      )}
      <Panel>
        <Section
          title="Last window"
          aside={
            <Text size="sm" c="dimmed">
              {counted(evaluation.predictions, 'prediction')} of{' '}
              <SubjectLink kind="version" id={evaluation.version} bare />, {count(evaluation.labelled)} labelled
            </Text>
          }
        >
          <Stack gap="xs">
            <DataTable label="Metrics of the last window" columns={columns} rows={sorted} rowKey={keyOf} />
            <Text size="sm" c="dimmed">
              The limit of a drift is the declared one, or what chance alone reaches once in a thousand windows of this
              size, if that is more.
            </Text>
          </Stack>
        </Section>
      </Panel>
    </>
  )
}
