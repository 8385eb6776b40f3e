import { Button, Code, Group, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { client, read } from '../../../console/api.ts'
import { type Column, DataTable, OperationTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { count, shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type LedgerEntry, listEntries } from '../../../platform/kernel/contract.ts'
import { type FeatureView, getEntity, getFeatureView, lookUpEntity } from '../contract.ts'
import { aggregationInWords, featureText, typed } from './feature-view.ts'
import { Freshness, useNewestEvent } from './freshness.tsx'
import { ServicesOfView } from './services-of-view.tsx'

/** One view: what its features mean, how fresh they are, what they are for one entity, and who uses them. */
export function FeatureViewPage() {
  const { view } = getRouteApi('/signed-in/features/views/$view').useParams()
  const { data, error } = useQuery(read(getFeatureView, { view }, ['feature-view']))
  return (
    <Page
      title={view}
      within={[{ title: 'Features', link: { to: '/features' } }]}
      about={data?.spec.description || undefined}
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <Stack>
          <Facts
            of={{
              Entity: data.spec.entity,
              Dataset: <SubjectLink kind="dataset" id={data.spec.dataset} bare />,
              'Available at': <Code>{data.spec.timestamp}</Code>,
              'Newest event': <Freshness dataset={data.spec.dataset} />,
              Version: data.version,
              Definition: <span title={data.definition}>{shortened(data.definition)}</span>,
              Declared: <Instant at={data.createdAt} />,
            }}
          />
          <Aggregations view={data} />
          <LookUp view={data} />
          <ServicesOfView view={view} />
          <Materializations view={data} />
        </Stack>
      )}
    </Page>
  )
}

function Aggregations({ view: { spec } }: { view: FeatureView }) {
  return (
    <Panel>
      <Section title="Features">
        <DataTable
          label="Features"
          rows={spec.aggregations}
          rowKey={({ name }) => name}
          columns={[
            { title: 'Feature', cell: ({ name }) => <strong>{name}</strong> },
            { title: 'Definition', wrap: true, cell: aggregationInWords },
            { title: 'Unit', cell: ({ unit }) => unit ?? '' },
            { title: 'Description', wrap: true, cell: ({ description }) => description ?? '' },
          ]}
        />
      </Section>
    </Panel>
  )
}

/** The features of one entity, as the inference plane would read them. */
function LookUp({ view: { view, spec } }: { view: FeatureView }) {
  const { data: entity, error } = useQuery(read(getEntity, { entity: spec.entity }, ['entity']))
  const newest = useNewestEvent(spec.dataset)
  const [texts, setTexts] = useState<Record<string, string>>({})
  const [at, setAt] = useState<string>()
  const asked = at ?? newest?.at ?? ''
  const looking = useMutation({
    mutationFn: (of: Record<string, string | number | boolean>) =>
      client.call(lookUpEntity, { view, entity: of, ...(asked !== '' && { at: asked }) }),
  })
  const joinKeys = entity?.spec.joinKeys ?? []
  const values = joinKeys.map(({ name, type }) => [name, typed(texts[name] ?? '', type)] as const)
  const complete = joinKeys.length > 0 && values.every(([, value]) => value !== undefined && value !== '')
  return (
    <Panel>
      <Section title={`Look up one ${spec.entity}`}>
        {error !== null && <Problem error={error} />}
        <Group
          component="form"
          align="flex-end"
          gap="sm"
          onSubmit={(event) => {
            event.preventDefault()
            looking.mutate(
              Object.fromEntries(values.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
            )
          }}
        >
          {joinKeys.map(({ name, type }) => (
            <TextInput
              key={name}
              label={name}
              description={type}
              value={texts[name] ?? ''}
              onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
            />
          ))}
          <TextInput
            label="Looking back from"
            description="empty: from now"
            w={230}
            value={asked}
            onChange={(event) => setAt(event.currentTarget.value)}
          />
          <Button type="submit" disabled={!complete} loading={looking.isPending}>
            Look up
          </Button>
        </Group>
        {looking.error !== null && <Problem error={looking.error} />}
        {looking.data !== undefined && (
          <Stack gap="xs" mt="md" role="status">
            <Text size="sm">
              {looking.data.newestEvent === null ? (
                'The online store has never seen it: nobody pushed or materialized an event of it.'
              ) : (
                <>
                  Its newest event is of <Instant at={looking.data.newestEvent} /> or soon after; the values are those
                  of <Instant at={looking.data.at} />.
                </>
              )}
            </Text>
            <Facts
              of={Object.fromEntries(looking.data.features.map(({ name, value }) => [name, featureText(value)]))}
            />
          </Stack>
        )}
      </Section>
    </Panel>
  )
}

function Materializations({ view: { view, version, spec } }: { view: FeatureView }) {
  return (
    <Panel>
      <Section title="Filled from">
        <OperationTable
          label="Materializations"
          operation={listEntries}
          input={(cursor) => ({
            operation: 'register-materialization',
            subject: `feature-view:${view}@${version}`,
            limit: 10,
            cursor,
          })}
          about={['feature-view']}
          noun="materialization"
          columns={materializationColumns(view)}
          rowKey={({ id }) => id}
          empty={
            <Text size="sm" c="dimmed">
              Never from a dataset version: <Code>pave materialize-views --dataset {spec.dataset}@1 --follow</Code>{' '}
              fills it; events that are pushed add to it.
            </Text>
          }
        />
      </Section>
    </Panel>
  )
}

function materializationColumns(view: string): Column<LedgerEntry>[] {
  const counts = ({ facts }: LedgerEntry) => {
    const views: unknown = facts?.['views']
    const found: unknown = Array.isArray(views) ? views.find((one) => one?.view === view) : undefined
    return new Map(Object.entries(found ?? {}))
  }
  const number = (value: unknown) => (typeof value === 'number' ? count(value) : '')
  return [
    {
      title: 'Dataset version',
      cell: ({ lineage }) =>
        lineage?.inputs.map(({ kind, id }) => <SubjectLink key={id} kind={kind} id={id} bare />) ?? '',
    },
    { title: 'Entities', number: true, cell: (entry) => number(counts(entry).get('entities')) },
    { title: 'Events', number: true, cell: (entry) => number(counts(entry).get('events')) },
    { title: 'When', cell: ({ at }) => <Instant at={at} /> },
  ]
}
