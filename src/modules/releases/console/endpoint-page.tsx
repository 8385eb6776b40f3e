import { Alert, Anchor, Group, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { z } from 'zod'
import { severityTones, stateOf } from '#modules/incidents/console/incident-view.ts'
import { endpointOf, useOpenIncidents } from '#modules/incidents/console/use-open-incidents.ts'
import { FindingList } from '#modules/monitoring/console/finding-list.tsx'
import { read } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type Endpoint, getEndpoint, listReleases } from '../contract.ts'
import { NodeList } from './node-list.tsx'
import { ReleaseHistory } from './release-history.tsx'
import { ReleaseProgress } from './release-progress.tsx'
import { trafficOf } from './release-view.ts'
import { RollBackButton } from './roll-back-button.tsx'
import { ServingDetails } from './serving-details.tsx'
import { StartReleaseButton } from './start-release-button.tsx'
import { TrafficBar } from './traffic-bar.tsx'
import { RealisedPerformance, TrafficCharts } from './traffic-charts.tsx'
import { VersionTable } from './version-table.tsx'
import { WhatAnswered } from './what-answered.tsx'

const route = getRouteApi('/signed-in/endpoints/$environment/$endpoint')
const PageState = z.object({ every: z.enum(['hour', 'day']).catch('hour') })

/** One endpoint whole: who answers, what is being released, on which nodes, how well, and how it got there. */
export function EndpointPage() {
  const { environment, endpoint: name } = route.useParams()
  const { data, error } = useQuery(read(getEndpoint, { environment, endpoint: name }, ['endpoint', 'release', 'node']))
  const title = `${environment}/${name}`
  const within = [{ title: 'Endpoints', link: { to: '/endpoints' as const } }]
  if (data === undefined) {
    return (
      <Page title={title} within={within}>
        {error === null ? <Skeleton height={280} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  return <KnownEndpoint endpoint={data} title={title} within={within} />
}

interface KnownEndpointProps {
  endpoint: Endpoint
  title: string
  within: NonNullable<Parameters<typeof Page>[0]['within']>
}

function KnownEndpoint({ endpoint, title, within }: KnownEndpointProps) {
  const { environment, endpoint: name, spec } = endpoint
  const [{ every }, change] = usePageState(PageState)
  const releases = useQuery(read(listReleases, { environment, endpoint: name, limit: 100 }, ['release', 'endpoint']))
  const incidents = useOpenIncidents().items.filter((incident) => endpointOf(incident) === title)
  const worst = incidents.find((incident) => incident.mitigatedAt === null)
  const newest = releases.data?.items[0]
  return (
    <Page
      title={title}
      within={within}
      about={
        <>
          {endpoint.version === null ? (
            'Nothing is released yet'
          ) : (
            <>
              Serves <SubjectLink kind="version" id={endpoint.version} bare />
            </>
          )}
          {spec.description !== '' && ` · ${spec.description}`}
        </>
      }
      actions={
        <>
          <RollBackButton
            endpoint={endpoint}
            reason={worst && `${worst.incident}: ${worst.title}`}
            urgent={worst !== undefined}
          />
          <StartReleaseButton endpoint={endpoint} />
        </>
      }
    >
      {incidents.map((incident) => {
        const { tone, word } = stateOf(incident)
        return (
          <Panel key={incident.id} p="md">
            <Group gap="0 0.7rem">
              <State tone={severityTones[incident.severity]}>{incident.severity}</State>
              <Anchor
                inherit
                fw={600}
                renderRoot={(props) => (
                  <Link {...props} to="/incidents/$incident" params={{ incident: incident.incident }} />
                )}
              >
                {incident.incident}
              </Anchor>
              <State tone={tone}>{word}</State>
              <Text span size="sm" c="dimmed">
                open for <Age at={incident.openedAt} suffix="" />
              </Text>
            </Group>
            <Text style={{ overflowWrap: 'anywhere' }}>{incident.title}</Text>
          </Panel>
        )
      })}
      {endpoint.nodes.some((node) => node.overrides.some((override) => override.endpoint === name)) && (
        <Alert color="yellow" variant="light" title="A local override is in force on a node">
          The node answers by its override, whatever the serving plan says. <code>pave override --help</code> tells how
          to end it.
        </Alert>
      )}
      <Panel>
        <TrafficBar traffic={trafficOf(endpoint)} />
      </Panel>
      {releases.error && <Problem error={releases.error} />}
      {newest !== undefined && <ReleaseProgress release={newest} />}
      <TrafficCharts endpoint={endpoint} every={every} onEvery={(chosen) => change({ every: chosen })} />
      <Stack gap="lg">
        <RealisedPerformance endpoint={endpoint} />
        <FindingList environment={environment} endpoint={name} />
        <NodeList endpoint={endpoint} />
        <WhatAnswered environment={environment} endpoint={name} />
        <ReleaseHistory environment={environment} endpoint={name} />
        <Panel>
          <VersionTable endpoint={endpoint} releases={releases.data?.items} />
        </Panel>
        <ServingDetails endpoint={endpoint} />
      </Stack>
    </Page>
  )
}
