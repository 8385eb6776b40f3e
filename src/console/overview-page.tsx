import { Code, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { OpenIncidents } from '#modules/incidents/console/open-incidents.tsx'
import { EndpointCard } from '#modules/releases/console/endpoint-card.tsx'
import { listEndpoints } from '#modules/releases/contract.ts'
import { read } from './api.ts'
import { counted } from './design/format.ts'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { LedgerEntries } from './ledger-entries.tsx'
import { RunningJobs } from './running-jobs.tsx'

/** What serves, what is changing, and what was done last. */
export function OverviewPage() {
  const endpoints = useQuery(read(listEndpoints, { limit: 100 }, ['endpoint', 'release', 'node']))
  const items = endpoints.data?.items
  return (
    <Stack gap="lg">
      <OpenIncidents />
      <Group justify="space-between" align="baseline">
        <Title order={1} size="h3">
          Endpoints
        </Title>
        {items !== undefined && items.length > 0 && (
          <Text size="sm" c="dimmed">
            {counted(items.length, 'endpoint')}
            {endpoints.data?.nextCursor != null && ', and more: pave list-endpoints'}
          </Text>
        )}
      </Group>
      {endpoints.error && <Problem error={endpoints.error} />}
      {endpoints.isPending && <Skeleton height={280} radius="lg" />}
      {items?.length === 0 && <NothingServed />}
      {items?.map((endpoint) => (
        <EndpointCard key={`${endpoint.environment}/${endpoint.endpoint}`} endpoint={endpoint} />
      ))}
      <RunningJobs />
      <LedgerEntries />
    </Stack>
  )
}

function NothingServed() {
  return (
    <Panel>
      <Title order={2} size="h5">
        Nothing is served yet
      </Title>
      <Text mt={4} mb="sm" c="dimmed">
        Endpoints, models and everything else come from manifests. Put those of the example with:
      </Text>
      <Code block>pave apply examples/flight-delays</Code>
    </Panel>
  )
}
