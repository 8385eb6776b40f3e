import { Anchor, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { z } from 'zod'
import { getVersion } from '#modules/registry/contract.ts'
import { read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { duration, milliseconds, percent, score } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type AnsweredPrediction, getPrediction } from '../contract.ts'
import { FeatureBins } from './feature-bins.tsx'
import { fieldText, placeInTraining } from './prediction-view.ts'

const PageState = z.object({ row: z.coerce.number().int().min(0).catch(0) })

/** One row of a request: what was asked, what the model saw, what it answered, and what came true. */
export function PredictionPage() {
  const { environment, endpoint, prediction } = getRouteApi(
    '/signed-in/endpoints/$environment/$endpoint/predictions/$prediction',
  ).useParams()
  const [{ row }] = usePageState(PageState)
  const { data, error } = useQuery(read(getPrediction, { environment, endpoint, prediction, row }))
  const answered = data?.items.find(({ variant }) => variant !== 'shadow') ?? data?.items[0]
  return (
    <Page
      title={row === 0 ? prediction : `${prediction}, row ${row}`}
      within={[
        { title: 'Predictions', link: { to: '/predictions' } },
        {
          title: `${environment}/${endpoint}`,
          link: { to: '/endpoints/$environment/$endpoint', params: { environment, endpoint } },
        },
      ]}
    >
      <Pending data={data} error={error} />
      {data !== undefined && answered !== undefined && (
        <Stack>
          <Facts
            of={{
              'Event time': <Instant at={answered.at} />,
              Received: <Instant at={answered.receivedAt} />,
              Label:
                data.label === null ? (
                  <Text span c="dimmed">
                    not known yet
                  </Text>
                ) : (
                  <>
                    <strong>{data.label.value}</strong>, known{' '}
                    {duration(Date.parse(data.label.at) - Date.parse(answered.at))} after the event
                  </>
                ),
              Trace: answered.traceId ?? undefined,
            }}
          />
          <Answers items={data.items} />
          <Request of={answered} environment={environment} endpoint={endpoint} />
          <Features of={answered} />
        </Stack>
      )}
    </Page>
  )
}

function Answers({ items }: { items: readonly AnsweredPrediction[] }) {
  return (
    <Panel>
      <Section title={items.length === 1 ? 'Answer' : 'Answers'}>
        <DataTable
          label="Answers"
          rows={items}
          rowKey={({ variant, version, node }) => `${variant} ${version} ${node}`}
          columns={[
            { title: 'Variant', cell: ({ variant }) => (variant === 'shadow' ? 'shadow, seen by nobody' : variant) },
            { title: 'Version', cell: ({ version }) => <SubjectLink kind="version" id={version} bare /> },
            {
              title: 'Prediction',
              number: true,
              cell: ({ prediction }) => <strong>{prediction === null ? 'none' : score(prediction)}</strong>,
            },
            {
              title: 'Status',
              cell: ({ status, errorCode }) => (
                <State tone={status === 'ok' ? 'good' : status === 'fallback' ? 'warn' : 'bad'}>
                  {errorCode ?? status}
                </State>
              ),
            },
            { title: 'Latency', number: true, cell: ({ latencyUs }) => milliseconds(latencyUs / 1000) },
            {
              title: 'Release',
              cell: ({ release }) => release !== null && <SubjectLink kind="release" id={release} bare />,
            },
            { title: 'Node', cell: ({ node, generation }) => <span title={`plan ${generation}`}>{node}</span> },
          ]}
        />
      </Section>
    </Panel>
  )
}

interface RequestProps {
  of: AnsweredPrediction
  environment: string
  endpoint: string
}

function Request({ of: { request }, environment, endpoint }: RequestProps) {
  return (
    <Panel>
      <Section
        title="Request"
        aside={
          <Text size="sm" c="dimmed">
            A value leads to the other requests with it
          </Text>
        }
      >
        <Facts
          of={Object.fromEntries(
            Object.entries(request).map(([field, value]) => [
              field,
              <Anchor
                key={field}
                inherit
                renderRoot={(props) => (
                  <Link
                    {...props}
                    to="/predictions"
                    search={{
                      endpoint: `${environment}/${endpoint}`,
                      request: `${field}="${fieldText(value).replaceAll('"', '')}"`,
                    }}
                  />
                )}
              >
                {fieldText(value)}
              </Anchor>,
            ]),
          )}
        />
      </Section>
    </Panel>
  )
}

/** What the model saw, each value beside what it was trained on. */
function Features({ of: { features, version } }: { of: AnsweredPrediction }) {
  const { data } = useQuery(read(getVersion, { version }, ['version']))
  const profiles = new Map(data?.profile.map((profile) => [profile.name, profile]))
  const rows = Object.entries(features).map(([name, value]) => ({
    name,
    value,
    profile: profiles.get(name),
    place: placeInTraining(value, profiles.get(name)),
  }))
  return (
    <Panel>
      <Section title="Features used">
        {rows.length === 0 ? (
          <Text size="sm" c="dimmed">
            None were recorded: the version takes the request as it is, or a fallback answered.
          </Text>
        ) : (
          <DataTable
            label="Features used"
            rows={rows}
            rowKey={({ name }) => name}
            columns={[
              { title: 'Feature', cell: ({ name }) => name },
              {
                title: 'Value',
                number: true,
                cell: ({ value }) =>
                  value === null ? (
                    <Text span c="dimmed">
                      no value
                    </Text>
                  ) : (
                    <strong>{Number(value.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 12 })}</strong>
                  ),
              },
              {
                title: 'In training',
                cell: ({ name, profile, place }) =>
                  profile !== undefined && <FeatureBins name={name} counts={profile.counts} bin={place?.bin} />,
              },
              {
                title: 'Above',
                number: true,
                cell: ({ place }) =>
                  place && (place.outside ? <State tone="warn">never seen</State> : `${percent(place.below)} of rows`),
              },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}
