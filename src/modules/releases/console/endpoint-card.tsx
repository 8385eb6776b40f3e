import { Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { read } from '../../../console/api.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { type Endpoint, listReleases } from '../contract.ts'
import styles from './endpoint-card.module.css'
import { LiveTraffic } from './live-traffic.tsx'
import { NodeList } from './node-list.tsx'
import { ReleaseProgress } from './release-progress.tsx'
import { trafficOf } from './release-view.ts'
import { RollBackButton } from './roll-back-button.tsx'
import { TrafficBar } from './traffic-bar.tsx'
import { VersionTable } from './version-table.tsx'

/** One endpoint whole: who answers, what is being released, on which nodes, and from which versions. */
export function EndpointCard({ endpoint }: { endpoint: Endpoint }) {
  const { environment, endpoint: name, spec } = endpoint
  const releases = useQuery(read(listReleases, { environment, endpoint: name, limit: 100 }, ['release', 'endpoint']))
  const newest = releases.data?.items[0]
  return (
    <Panel component="article" aria-label={`${environment}/${name}`}>
      <Stack gap="lg">
        <div>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <div>
              <Title order={2} size="h4">
                <Text span inherit c="dimmed">
                  {environment}/
                </Text>
                {name}
              </Title>
              <Text size="sm">
                {endpoint.version === null ? 'Nothing is released yet' : `Serves ${endpoint.version}`}
              </Text>
            </div>
            <RollBackButton endpoint={endpoint} />
          </Group>
          {spec.description !== '' && (
            <Text size="sm" c="dimmed">
              {spec.description}
            </Text>
          )}
        </div>
        <TrafficBar traffic={trafficOf(endpoint)} />
        {releases.error && <Problem error={releases.error} />}
        <div className={styles.columns}>
          {newest !== undefined && <ReleaseProgress spec={spec} release={newest} />}
          <Stack gap="lg">
            <LiveTraffic endpoint={endpoint} />
            <NodeList nodes={endpoint.nodes} generation={endpoint.generation} />
          </Stack>
        </div>
        <VersionTable endpoint={endpoint} releases={releases.data?.items} />
      </Stack>
    </Panel>
  )
}
