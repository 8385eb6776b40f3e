import { Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { RollBackButton } from '#modules/releases/console/roll-back-button.tsx'
import { getEndpoint, listReleases } from '#modules/releases/contract.ts'
import { read } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { duration } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { AnswerOf } from '../../../platform/operation.ts'
import { getIncident } from '../contract.ts'
import { BlastRadius } from './blast-radius.tsx'
import { CloseButton } from './close-buttons.tsx'
import { CommentForm } from './comment-form.tsx'
import { severityTones, stateOf, timesOf } from './incident-view.ts'
import { Timeline } from './timeline.tsx'
import { endpointOf } from './use-open-incidents.ts'

const route = getRouteApi('/signed-in/incidents/$incident')

/** One incident: what is wrong, since when, what changed before, and the way out. */
export function IncidentPage() {
  const { incident: name } = route.useParams()
  // Whatever happens to its endpoint, releases and findings may be part of the story.
  const { data, error } = useQuery(
    read(getIncident, { incident: name }, ['incident', 'release', 'finding', 'version', 'monitor']),
  )
  if (data === undefined) {
    return (
      <Page title={name} within={[{ title: 'Incidents', link: { to: '/incidents' } }]}>
        {error === null ? <Skeleton height={280} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  return <KnownIncident incident={data} />
}

function KnownIncident({ incident }: { incident: AnswerOf<typeof getIncident> }) {
  const state = stateOf(incident)
  const { mitigated, resolved } = timesOf(incident)
  const open = incident.state === 'open'
  const endpoint = endpointOf(incident)
  return (
    <Page
      title={`${incident.incident}: ${incident.title}`}
      within={[{ title: 'Incidents', link: { to: '/incidents' } }]}
      actions={
        open && (
          <>
            {endpoint !== undefined && <RollBackHere incident={incident} endpoint={endpoint} />}
            {incident.mitigatedAt === null && <CloseButton incident={incident} how="mitigate" />}
            <CloseButton incident={incident} how="resolve" />
          </>
        )
      }
    >
      <Panel>
        <Stack gap="md">
          <Facts
            of={{
              State: <State tone={state.tone}>{state.word}</State>,
              Severity: <State tone={open ? severityTones[incident.severity] : 'idle'}>{incident.severity}</State>,
              Opened: (
                <>
                  <Instant at={incident.openedAt} /> (<Age at={incident.openedAt} />)
                </>
              ),
              'Time to mitigate': mitigated === undefined ? 'not yet' : duration(mitigated),
              'Time to resolve': resolved === undefined ? 'not yet' : duration(resolved),
              Endpoint: endpoint === undefined ? undefined : <SubjectLink kind="endpoint" id={endpoint} bare />,
              'Opened by': <SubjectLink kind={incident.cause.kind} id={incident.cause.id} />,
              About: others(incident).length === 0 ? undefined : others(incident),
            }}
          />
          <BlastRadius incident={incident} />
          {endpoint !== undefined && <LastChange endpoint={endpoint} before={incident.openedAt} />}
          {incident.resolution !== null && (
            <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              <strong>Resolution:</strong> {incident.resolution}
            </Text>
          )}
        </Stack>
      </Panel>
      <Panel>
        <CommentForm incident={incident.incident} />
      </Panel>
      <Panel>
        <Section title="Timeline">
          <Timeline items={incident.timeline} openedAt={incident.openedAt} />
        </Section>
      </Panel>
    </Page>
  )
}

function others({ subjects, cause }: AnswerOf<typeof getIncident>) {
  return subjects
    .filter(({ kind, id }) => kind !== 'endpoint' && !(kind === cause.kind && id === cause.id))
    .map(({ kind, id }) => (
      <span key={`${kind}:${id}`} style={{ marginRight: '0.8rem' }}>
        <SubjectLink kind={kind} id={id} />
      </span>
    ))
}

function RollBackHere({ incident, endpoint: name }: { incident: AnswerOf<typeof getIncident>; endpoint: string }) {
  const [environment = '', endpoint = ''] = name.split('/')
  const { data } = useQuery(read(getEndpoint, { environment, endpoint }, ['endpoint', 'release']))
  if (data === undefined) return null
  return (
    <RollBackButton
      endpoint={data}
      reason={`${incident.incident}: ${incident.title}`}
      urgent={incident.mitigatedAt === null}
    />
  )
}

/** The newest release that had begun when the incident was opened: the first suspect. */
function LastChange({ endpoint: name, before }: { endpoint: string; before: string }) {
  const [environment = '', endpoint = ''] = name.split('/')
  const { data } = useQuery(read(listReleases, { environment, endpoint, limit: 50 }, ['release']))
  const release = data?.items.find((one) => Date.parse(one.startedAt) <= Date.parse(before))
  if (release === undefined) return null
  return (
    <Text>
      Last release before: <SubjectLink kind="version" id={release.version} bare />, begun{' '}
      {duration(Date.parse(before) - Date.parse(release.startedAt))} earlier
      {release.startedByName !== null && ` by ${release.startedByName}`}, <SubjectLink kind="release" id={release.id} />
    </Text>
  )
}
