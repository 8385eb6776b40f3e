import { Badge, Group, Stack, Tabs, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { traceLineage } from '#platform/kernel/contract.ts'
import { client, read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { duration, shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { LineageAround } from '../../../console/lineage/lineage-around.tsx'
import { PageTabs } from '../../../console/page-tabs.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getExperiment, getTrackingRun, logRunData, searchLoggedModels, type TrackingRun } from '../contract.ts'
import { ArtifactBrowser } from './artifact-browser.tsx'
import { MetricCurves } from './metric-curves.tsx'
import { Note, noteTag } from './note.tsx'
import { ReproductionPanel } from './reproduction-panel.tsx'
import { statusTones } from './run-status.ts'

const tabs = {
  metrics: 'Metrics',
  params: 'Params and tags',
  artifacts: 'Artifacts',
  reproduce: 'Reproduce',
  history: 'Models and history',
}
/** A tracked run: what it was given, how its metrics went, what it left behind. */
export function TrackingRunPage() {
  const { run } = getRouteApi('/signed-in/tracking-runs/$run').useParams()
  const { data, error } = useQuery(read(getTrackingRun, { run }, ['run', 'tracking-run']))
  return (
    <Page
      title={data?.name ?? 'Tracked run'}
      heading={
        data && (
          <>
            {data.name}{' '}
            <Text span fz="md">
              <State tone={statusTones[data.status]}>{data.status}</State>
            </Text>
          </>
        )
      }
      within={[
        { title: 'Experiments', link: { to: '/experiments' } },
        ...(data === undefined
          ? []
          : [
              {
                title: `Experiment ${data.experiment}`,
                link: { to: '/experiments/$experiment', params: { experiment: data.experiment } },
              } as const,
            ]),
      ]}
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <>
          <Note
            text={data.tags[noteTag]}
            save={(text) => client.call(logRunData, { run: data.run, tags: { [noteTag]: text } })}
          />
          <RunFacts run={data} />
          <PageTabs tabs={tabs}>
            <Tabs.Panel value="metrics">
              <MetricCurves run={data} />
            </Tabs.Panel>
            <Tabs.Panel value="params">
              <Stack>
                <Pairs title="Params" of={data.params} none="None were logged." />
                <Pairs title="Tags" of={data.tags} none="It has none." />
                <Datasets run={data} />
              </Stack>
            </Tabs.Panel>
            <Tabs.Panel value="artifacts">
              <Panel>
                <Section title="Artifacts">
                  <ArtifactBrowser owner={data.run} />
                </Section>
              </Panel>
            </Tabs.Panel>
            <Tabs.Panel value="reproduce">
              <ReproductionPanel run={data} />
            </Tabs.Panel>
            <Tabs.Panel value="history">
              <Stack>
                <Models run={data} />
                <LineageAround kind="run" id={data.run} />
                <EntriesAbout subject={`run:${data.run}`} title="Ledger" />
              </Stack>
            </Tabs.Panel>
          </PageTabs>
        </>
      )}
    </Page>
  )
}

function RunFacts({ run }: { run: TrackingRun }) {
  const experiment = useQuery(read(getExperiment, { experiment: run.experiment }, ['experiment']))
  const registered = useQuery(
    read(traceLineage, { object: `run:${run.run}`, direction: 'downstream', depth: 2 }, ['version']),
  )
  const versions = [
    ...new Set((registered.data?.edges ?? []).flatMap(({ to }) => (to.kind === 'version' ? [to.id] : []))),
  ]
  return (
    <Facts
      of={{
        Run: <span title={run.run}>{shortened(run.run)}</span>,
        Experiment: experiment.data?.name,
        Started: <Instant at={run.startedAt} />,
        Took: run.endedAt === null ? undefined : duration(Date.parse(run.endedAt) - Date.parse(run.startedAt)),
        By: <PersonName id={run.author} />,
        State: run.state === 'deleted' ? <Badge color="red">deleted</Badge> : undefined,
        'Registered as':
          versions.length === 0 ? undefined : (
            <Group gap="xs">
              {versions.map((version) => (
                <SubjectLink key={version} kind="version" id={version} bare />
              ))}
            </Group>
          ),
      }}
    />
  )
}

function Pairs({ title, of, none }: { title: string; of: Readonly<Record<string, string>>; none: string }) {
  const rows = Object.entries(of)
  return (
    <Panel>
      <Section title={title}>
        {rows.length === 0 ? (
          <Text size="sm" c="dimmed">
            {none}
          </Text>
        ) : (
          <DataTable
            label={title}
            rows={rows}
            rowKey={([key]) => key}
            columns={[
              { title: 'Key', wrap: true, cell: ([key]) => key },
              {
                title: 'Value',
                wrap: true,
                cell: ([, value]) => <span style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{value}</span>,
              },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}

function Datasets({ run: { datasets } }: { run: TrackingRun }) {
  if (datasets.length === 0) return null
  return (
    <Panel>
      <Section title="Datasets that it read">
        <DataTable
          label="Datasets"
          rows={datasets}
          rowKey={({ name, digest }) => `${name} ${digest}`}
          columns={[
            { title: 'Name', wrap: true, cell: ({ name }) => name },
            { title: "The client's digest", cell: ({ digest }) => digest },
            { title: 'Source', cell: ({ sourceType }) => sourceType },
          ]}
        />
      </Section>
    </Panel>
  )
}

function Models({ run: { run, experiment } }: { run: TrackingRun }) {
  const { data, error } = useQuery(
    read(searchLoggedModels, { experiments: [experiment], run, limit: 50 }, ['logged-model', 'run']),
  )
  return (
    <Panel>
      <Section title="Logged models">
        {error !== null && <Problem error={error} />}
        {data?.items.length === 0 && (
          <Text size="sm" c="dimmed">
            It logged none.
          </Text>
        )}
        {data !== undefined && data.items.length > 0 && (
          <DataTable
            label="Logged models"
            rows={data.items}
            rowKey={({ loggedModel }) => loggedModel}
            columns={[
              { title: 'Model', wrap: true, cell: ({ name }) => name },
              { title: 'Type', cell: ({ type }) => type || '–' },
              { title: 'Status', cell: ({ status }) => status },
              { title: 'Logged', cell: ({ createdAt }) => <Instant at={createdAt} /> },
              {
                title: 'Lineage',
                cell: ({ loggedModel }) => <SubjectLink kind="logged-model" id={loggedModel} bare />,
              },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}
