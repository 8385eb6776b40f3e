import { Anchor, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { OpenIncidents } from '#modules/incidents/console/open-incidents.tsx'
import { useOpenIncidents } from '#modules/incidents/console/use-open-incidents.ts'
import { type HealthRow, healthColumns } from '#modules/releases/console/endpoint-health.tsx'
import { byUrgency, healthOf } from '#modules/releases/console/endpoint-health-view.ts'
import { listEndpointHealth } from '#modules/releases/contract.ts'
import { read } from './api.ts'
import { DataTable } from './design/data-table.tsx'
import { Empty } from './design/empty.tsx'
import { counted } from './design/format.ts'
import { Page } from './design/page.tsx'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { Section } from './design/section.tsx'
import { RecentChanges } from './recent-changes.tsx'
import { RunningJobs } from './running-jobs.tsx'
import { WaitingApprovals } from './waiting-approvals.tsx'

const most = 200
const shown = 50

/** What is wrong, since when, and what changed before; then what runs and what waits. */
export function OverviewPage() {
  const incidents = useOpenIncidents()
  const { data, error, isPending } = useQuery(
    read(listEndpointHealth, { limit: most }, ['endpoint', 'release', 'node', 'finding']),
  )
  const rows = byUrgency(
    (data?.items ?? []).map((endpoint): HealthRow => {
      const name = `${endpoint.environment}/${endpoint.endpoint}`
      return { endpoint, name, health: healthOf(endpoint, incidents.of(name)) }
    }),
  )
  return (
    <Page
      title="Overview"
      about={data !== undefined && incidents.known ? summaryOf(rows, incidents.items.length) : undefined}
    >
      <OpenIncidents />
      <WaitingApprovals />
      {error && <Problem error={error} />}
      {isPending && <Skeleton height={200} radius="lg" />}
      {data?.items.length === 0 && (
        <Empty title="Nothing is served yet" command="pave apply examples/flight-delays">
          Endpoints, models and everything else come from manifests. Put those of the example with:
        </Empty>
      )}
      {rows.length > 0 && (
        <Panel>
          <Section
            title="Endpoints"
            aside={
              <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/endpoints" />}>
                All endpoints
              </Anchor>
            }
          >
            <DataTable
              label="Endpoints"
              columns={healthColumns}
              rows={rows.slice(0, shown)}
              rowKey={(row) => row.name}
            />
            {(rows.length > shown || data?.nextCursor != null) && (
              <Text size="sm" c="dimmed" mt="xs">
                {data?.nextCursor == null
                  ? `The ${shown} that need attention most.`
                  : `The ${shown} that need attention most of the first ${most} by name.`}
              </Text>
            )}
          </Section>
        </Panel>
      )}
      <RunningJobs />
      <RecentChanges />
    </Page>
  )
}

/** The state of everything in a sentence. */
function summaryOf(rows: readonly HealthRow[], incidents: number): string {
  const count = (tone: HealthRow['health']['tone']) => rows.filter((row) => row.health.tone === tone).length
  const parts = [
    incidents > 0 && counted(incidents, 'open incident'),
    count('bad') > 0 && `${counted(count('bad'), 'endpoint')} in trouble`,
    count('warn') > 0 && `${count('warn')} to look at`,
    count('busy') > 0 && `${count('busy')} releasing`,
  ].filter((part) => part !== false)
  if (parts.length > 0) return parts.join(' · ')
  return rows.length === 0 ? 'Nothing is served yet.' : 'No open incident, no endpoint in trouble.'
}
