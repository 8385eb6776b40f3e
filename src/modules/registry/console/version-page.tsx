import { Anchor, Badge, Button, Stack, Tabs, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { EvidenceButtons } from '#modules/governance/console/evidence-buttons.tsx'
import { GateResults } from '#modules/governance/console/gate-results.tsx'
import { VersionApprovals } from '#modules/governance/console/version-approvals.tsx'
import { VersionReleases } from '#modules/releases/console/version-releases.tsx'
import { WhenAnswered } from '#modules/releases/console/when-answered.tsx'
import { read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Section } from '../../../console/design/section.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { LineageAround } from '../../../console/lineage/lineage-around.tsx'
import { PageTabs } from '../../../console/page-tabs.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getVersion, type Version } from '../contract.ts'
import { DigestText } from './digest-text.tsx'
import { MetricsTable } from './metrics-table.tsx'
import { ProfileCharts } from './profile-charts.tsx'
import { ServingTable } from './serving-table.tsx'
import { SignatureTable } from './signature-table.tsx'
import { SlicesTable } from './slices-table.tsx'
import { TwinPanel } from './twin-panel.tsx'

const tabs = {
  metrics: 'Metrics',
  data: 'Data and signature',
  gates: 'Gates and approvals',
  lineage: 'Lineage',
  history: 'Releases and history',
}

/** One immutable version: what was measured, what it was made from, what it must still show. */
export function VersionPage() {
  const { model, version: number } = getRouteApi('/signed-in/models/$model/versions/$version').useParams()
  const ref = `${model}@${number}`
  const { data, error } = useQuery(read(getVersion, { version: ref }, ['version', 'model']))
  return (
    <Page
      title={data?.ref ?? ref}
      heading={
        <>
          {data?.ref ?? ref}{' '}
          {data?.aliases.map((alias) => (
            <Badge key={alias} color="indigo">
              {alias}
            </Badge>
          ))}
        </>
      }
      within={[
        { title: 'Models', link: { to: '/models' } },
        { title: model, link: { to: '/models/$model', params: { model } } },
      ]}
      about={data?.note || undefined}
      actions={data !== undefined && <Actions version={data} />}
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <>
          <Facts
            of={{
              Registered: <Instant at={data.registeredAt} />,
              By: <PersonName id={data.author} />,
              Run: data.run === null ? undefined : <SubjectLink kind="run" id={data.run} bare />,
              Data:
                data.datasets.length === 0
                  ? undefined
                  : data.datasets.map((dataset) => (
                      <span key={dataset}>
                        <SubjectLink kind="dataset-version" id={dataset} bare />{' '}
                      </span>
                    )),
              'Training set': data.trainingSet === null ? undefined : <DigestText digest={data.trainingSet} />,
              Code:
                data.code === null ? undefined : <DigestText digest={data.code} download={`${data.ref}-code.tar`} />,
              Graph:
                data.artifact === null ? undefined : (
                  <DigestText digest={data.artifact} download={`${data.ref}.onnx`} />
                ),
              Identity: <DigestText digest={data.digest} />,
            }}
          />
          <TwinPanel version={data} />
          <PageTabs tabs={tabs}>
            <Tabs.Panel value="metrics">
              <Stack>
                <MetricsTable version={data} />
                <SlicesTable version={data} />
              </Stack>
            </Tabs.Panel>
            <Tabs.Panel value="data">
              <Stack>
                <SignatureTable version={data} />
                <Profiles version={data} />
              </Stack>
            </Tabs.Panel>
            <Tabs.Panel value="gates">
              <Stack>
                <GateResults version={data.ref} />
                <VersionApprovals version={data.ref} />
              </Stack>
            </Tabs.Panel>
            <Tabs.Panel value="lineage">
              <LineageAround kind="version" id={data.ref} />
            </Tabs.Panel>
            <Tabs.Panel value="history">
              <Stack>
                <ServingTable model={model} version={data.ref} />
                <WhenAnswered model={data.model} version={data.version} />
                <VersionReleases version={data.ref} />
                <EntriesAbout subject={`version:${data.ref}`} title="Ledger" />
              </Stack>
            </Tabs.Panel>
          </PageTabs>
        </>
      )}
    </Page>
  )
}

function Actions({ version: { model, version, ref } }: { version: Version }) {
  const params = { model, version: String(version) }
  return (
    <>
      {version > 1 && (
        <Button
          size="xs"
          variant="default"
          renderRoot={(props) => (
            <Link
              {...props}
              to="/models/$model/compare"
              params={{ model }}
              search={{ versions: `${version - 1},${version}` }}
            />
          )}
        >
          Compare with @{version - 1}
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        renderRoot={(props) => <Link {...props} to="/models/$model/versions/$version/card" params={params} />}
      >
        Model card
      </Button>
      <EvidenceButtons version={ref} />
    </>
  )
}

function Profiles({ version }: { version: Version }) {
  const profiles = [...version.profile, ...(version.predictionProfile === null ? [] : [version.predictionProfile])]
  return (
    <Panel>
      <Section title="Training profile">
        {profiles.length === 0 ? (
          <Text size="sm" c="dimmed">
            None was registered, so live inputs have nothing to be compared with.{' '}
            <Anchor inherit renderRoot={(props) => <Link {...props} to="/monitors" />}>
              Monitors
            </Anchor>{' '}
            need one.
          </Text>
        ) : (
          <ProfileCharts of={[{ name: version.ref, profiles }]} />
        )}
      </Section>
    </Panel>
  )
}
