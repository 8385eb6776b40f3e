import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Column } from '../../../console/design/data-table.tsx'
import { count, milliseconds, percent, percentOfBasisPoints, rate } from '../../../console/design/format.ts'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { EndpointHealth } from '../contract.ts'
import styles from './endpoint-health.module.css'
import { type Health, shareOfErrors } from './endpoint-health-view.ts'
import { Sparkline } from './sparkline.tsx'
import { TrafficStrip } from './traffic-bar.tsx'

export interface HealthRow {
  endpoint: EndpointHealth
  health: Health
  /** `environment/endpoint`. */
  name: string
}

/** On a phone there is no head of the table to say what a number is. */
const OnPhone = ({ children }: { children: string }) => (
  <Text span size="sm" c="dimmed" hiddenFrom="sm">
    {children}{' '}
  </Text>
)

const none = (
  <Text span c="dimmed">
    –
  </Text>
)

/** One endpoint a row: is it well, who answers, how much, how well. */
export const healthColumns: readonly Column<HealthRow>[] = [
  {
    title: 'Endpoint',
    wrap: true,
    cell: ({ endpoint: { environment, endpoint }, health }) => (
      <div className={styles.endpoint}>
        <Anchor
          inherit
          fw={600}
          renderRoot={(props) => (
            <Link {...props} to="/endpoints/$environment/$endpoint" params={{ environment, endpoint }} />
          )}
        >
          <span className={styles.environment}>{environment}/</span>
          {endpoint}
        </Anchor>
        <State tone={health.tone}>{health.word}</State>
        {health.reasons.length > 0 && (
          <Text size="sm" c="dimmed">
            {health.reasons.join(' · ')}
          </Text>
        )}
      </div>
    ),
  },
  {
    title: 'Serves',
    cell: ({ endpoint }) => (
      <div className={styles.traffic}>
        {endpoint.version === null ? none : <SubjectLink kind="version" id={endpoint.version} bare />}
        {endpoint.release !== null && (
          <Text size="sm">
            {endpoint.release.state === 'shadow' ? 'shadow' : percentOfBasisPoints(endpoint.release.weight)}{' '}
            <SubjectLink kind="version" id={endpoint.release.version} bare />
          </Text>
        )}
        <TrafficStrip traffic={endpoint.traffic} />
      </div>
    ),
  },
  {
    title: 'Requests, 24 h',
    number: true,
    cell: ({ endpoint: { recent } }) =>
      recent === null ? (
        <Text span c="dimmed" size="sm">
          no data
        </Text>
      ) : (
        <span className={styles.rate} title={`${count(recent.rows)} rows in the last 24 h of event time`}>
          <Sparkline values={recent.hours} />
          {rate(recent.rows, recent.spanMs)}
        </span>
      ),
  },
  {
    title: 'Errors',
    number: true,
    cell: ({ endpoint: { recent } }) => {
      const share = shareOfErrors(recent)
      return (
        <span
          title={recent === null ? undefined : `${count(recent.errors)} errors, ${count(recent.fallbacks)} fallbacks`}
        >
          <OnPhone>errors</OnPhone>
          {share === null ? none : percent(share)}
        </span>
      )
    },
  },
  {
    title: 'p50',
    number: true,
    cell: ({ endpoint: { recent } }) => (
      <>
        <OnPhone>p50</OnPhone>
        {recent?.latencyMs.p50 == null ? none : milliseconds(recent.latencyMs.p50)}
      </>
    ),
  },
  {
    title: 'p99',
    number: true,
    cell: ({ endpoint: { recent } }) => (
      <>
        <OnPhone>p99</OnPhone>
        {recent?.latencyMs.p99 == null ? none : milliseconds(recent.latencyMs.p99)}
      </>
    ),
  },
  {
    title: 'Nodes',
    number: true,
    cell: ({ endpoint: { nodes } }) => (
      <span title="with the newest serving plan, of all">
        <OnPhone>nodes</OnPhone>
        {nodes.current}/{nodes.total}
      </span>
    ),
  },
]
