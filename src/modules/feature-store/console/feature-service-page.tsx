import { Anchor, Button, Code, Group, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ProfileCharts } from '#modules/registry/console/profile-charts.tsx'
import { getVersion } from '#modules/registry/contract.ts'
import { client, read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { LineageAround } from '../../../console/lineage/lineage-around.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type FeatureService, getFeatureService, getOnlineFeatures } from '../contract.ts'
import { featuresOfService, featureText, typed } from './feature-view.ts'
import { ServiceUsers, useVersionsTrainedOn } from './service-users.tsx'

/** One service: the features of a model in its order, their values, and who was trained on them. */
export function FeatureServicePage() {
  const { service } = getRouteApi('/signed-in/features/services/$service').useParams()
  const { data, error } = useQuery(read(getFeatureService, { featureService: service }, ['feature-service']))
  return (
    <Page
      title={service}
      within={[{ title: 'Features', link: { to: '/features', search: { tab: 'services' } } }]}
      about={data?.spec.description || undefined}
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <Stack>
          <Facts
            of={{
              'Used by': <ServiceUsers service={service} />,
              'Asked at': <Code>{data.spec.timestampField}</Code>,
              Declared: <Instant at={data.createdAt} />,
            }}
          />
          <TryIt service={data} />
          <Values service={service} />
          <LineageAround kind="feature-service" id={service} />
        </Stack>
      )}
    </Page>
  )
}

/** The features in their order; with the values of a request once one was tried. */
function TryIt({ service }: { service: FeatureService }) {
  const { featureService, spec, features } = service
  const [texts, setTexts] = useState<Record<string, string>>({})
  const trying = useMutation({
    mutationFn: (row: Record<string, string | number | boolean>) =>
      client.call(getOnlineFeatures, { featureService, rows: [row] }),
  })
  const row = spec.request.flatMap(({ name, type }) => {
    const value = typed(texts[name] ?? '', type)
    return value === undefined ? [] : [[name, value] as const]
  })
  const values = trying.data?.rows[0]
  return (
    <Panel>
      <Section title="Features">
        <DataTable
          label="Features"
          rows={featuresOfService(spec, features)}
          rowKey={({ name }) => name}
          columns={[
            { title: 'Feature', cell: ({ name }) => <strong>{name}</strong> },
            {
              title: 'From',
              wrap: true,
              cell: ({ from }) =>
                'view' in from ? (
                  <Anchor
                    inherit
                    renderRoot={(props) => <Link {...props} to="/features/views/$view" params={{ view: from.view }} />}
                  >
                    {from.view}:{from.aggregation}
                  </Anchor>
                ) : (
                  <Code>{from.expression}</Code>
                ),
            },
            { title: 'By', cell: ({ from }) => ('view' in from ? from.keys : 'the request') },
            ...(values === undefined
              ? []
              : [
                  {
                    title: 'Value',
                    number: true,
                    cell: ({ name }: { name: string }) => featureText(values[features.indexOf(name)]),
                  },
                ]),
          ]}
        />
        <Group
          component="form"
          align="flex-end"
          gap="sm"
          mt="md"
          onSubmit={(event) => {
            event.preventDefault()
            trying.mutate(Object.fromEntries(row))
          }}
        >
          {spec.request.map(({ name, type }) => (
            <TextInput
              key={name}
              label={name}
              description={type === 'timestamp' ? '2026-01-31T12:00:00Z' : type}
              value={texts[name] ?? ''}
              onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
            />
          ))}
          <Button type="submit" disabled={row.length < spec.request.length} loading={trying.isPending}>
            Compute
          </Button>
        </Group>
        {trying.error !== null && <Problem error={trying.error} />}
      </Section>
    </Panel>
  )
}

/** How the features were spread in the training of the newest version. */
function Values({ service }: { service: string }) {
  const version = useVersionsTrainedOn(service)?.at(-1)
  if (version === undefined) return null
  return (
    <Panel>
      <Section
        title="Values"
        aside={
          <Text size="sm" c="dimmed">
            in the training of <SubjectLink kind="version" id={version} bare />
          </Text>
        }
      >
        <TrainingProfile version={version} />
      </Section>
    </Panel>
  )
}

function TrainingProfile({ version }: { version: string }) {
  const { data, error } = useQuery(read(getVersion, { version }, ['version']))
  if (error !== null) return <Problem error={error} />
  if (data === undefined) return <Skeleton height={160} />
  return <ProfileCharts of={[{ name: version, profiles: data.profile }]} />
}
