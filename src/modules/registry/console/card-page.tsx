import { Button, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { EvidenceButtons } from '#modules/governance/console/evidence-buttons.tsx'
import { GateResults } from '#modules/governance/console/gate-results.tsx'
import { VersionApprovals } from '#modules/governance/console/version-approvals.tsx'
import { read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getModel, getVersion } from '../contract.ts'
import styles from './card-page.module.css'
import { limitsOf } from './limits-view.ts'
import { MetricsTable } from './metrics-table.tsx'
import { ServingTable } from './serving-table.tsx'
import { SlicesTable } from './slices-table.tsx'

/** Everything that is known of a version on one page, for people who decide about it; made to be printed. */
export function CardPage() {
  const { model, version: number } = getRouteApi('/signed-in/models/$model/versions/$version/card').useParams()
  const declared = useQuery(read(getModel, { model }, ['model']))
  const registered = useQuery(read(getVersion, { version: `${model}@${number}` }, ['version', 'model']))
  const error = declared.error ?? registered.error
  const spec = declared.data?.spec
  const version = registered.data
  return (
    <Page
      title={`Model card of ${model}@${number}`}
      within={[
        { title: 'Models', link: { to: '/models' } },
        { title: model, link: { to: '/models/$model', params: { model } } },
        {
          title: `@${number}`,
          link: { to: '/models/$model/versions/$version', params: { model, version: number } },
        },
      ]}
      about={spec?.description || undefined}
      actions={
        version !== undefined && (
          <>
            <Button size="xs" variant="default" onClick={() => window.print()}>
              Print
            </Button>
            <EvidenceButtons version={version.ref} />
          </>
        )
      }
    >
      {error !== null && <Problem error={error} />}
      {error === null && (spec === undefined || version === undefined) && <Skeleton height={400} radius="lg" />}
      {spec !== undefined && version !== undefined && (
        <Stack className={styles.card}>
          <Panel>
            <Section title="Purpose">
              <Facts
                of={{
                  'What it predicts': spec.prediction || 'not described',
                  Task: spec.task.replaceAll('-', ' '),
                  Owner: spec.owner,
                  'Risk tier': `${spec.tier} (1 is the gravest)`,
                  Registered: (
                    <>
                      <Instant at={version.registeredAt} /> by <PersonName id={version.author} />
                    </>
                  ),
                }}
              />
            </Section>
          </Panel>
          <Panel>
            <Section title="Data">
              <Facts
                of={{
                  'Learned from':
                    version.datasets.length === 0
                      ? 'not recorded'
                      : version.datasets.map((dataset) => (
                          <span key={dataset}>
                            <SubjectLink kind="dataset-version" id={dataset} bare />{' '}
                          </span>
                        )),
                  'Features by':
                    version.featureService === null ? undefined : (
                      <SubjectLink kind="feature-service" id={version.featureService} bare />
                    ),
                  Features: version.features.length === 0 ? undefined : version.features.join(', '),
                  Run: version.run === null ? 'not recorded' : <SubjectLink kind="run" id={version.run} bare />,
                }}
              />
            </Section>
          </Panel>
          <MetricsTable version={version} />
          <SlicesTable version={version} />
          <Panel>
            <Section title="Limits">
              <ul style={{ margin: 0, paddingLeft: '1.2rem' }}>
                {limitsOf(version).map((limit) => (
                  <li key={limit}>{limit}</li>
                ))}
              </ul>
              {version.note !== '' && <Text mt="xs">{version.note}</Text>}
            </Section>
          </Panel>
          <GateResults version={version.ref} />
          <VersionApprovals version={version.ref} />
          <ServingTable model={model} version={version.ref} />
          <Panel>
            <Section title="Evidence">
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                The identity of this version is <code>{version.digest}</code>
                {version.artifact !== null && (
                  <>
                    ; the graph that serves is <code>{version.artifact}</code>
                  </>
                )}
                {version.twin?.state === 'ready' && (
                  <>
                    ; the graph that serves is its ONNX twin <code>{version.twin.artifact}</code>
                  </>
                )}
                . The buttons above export what the ledger holds about it, with positions that anybody can verify.
              </Text>
            </Section>
          </Panel>
        </Stack>
      )}
    </Page>
  )
}
