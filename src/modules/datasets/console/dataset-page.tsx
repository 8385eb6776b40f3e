import { Anchor, Code, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { ViewsOfDataset } from '#modules/feature-store/console/views-of-dataset.tsx'
import { read } from '../../../console/api.ts'
import { Chart } from '../../../console/design/chart.tsx'
import { type Column, DataTable, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Section } from '../../../console/design/section.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { type Dataset, type DatasetVersion, getDataset, listDatasetVersions } from '../contract.ts'
import { asideOf } from './dataset-view.ts'
import styles from './datasets.module.css'
import { QuarantineLink } from './quarantine-link.tsx'

/** One dataset: its contract, its versions over time, and who uses it. */
export function DatasetPage() {
  const { dataset } = getRouteApi('/signed-in/datasets/$dataset').useParams()
  const { data, error } = useQuery(read(getDataset, { dataset }, ['dataset']))
  return (
    <Page
      title={dataset}
      within={[{ title: 'Datasets', link: { to: '/datasets' } }]}
      about={data?.spec.description || undefined}
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <Stack>
          <Facts
            of={{
              Owner: data.spec.owner,
              Source: (
                <Anchor inherit href={`/api/v1/objects/${data.spec.source.digest}`} download={data.spec.source.name}>
                  {data.spec.source.name ?? 'Parquet'} ({count(data.spec.source.size)} bytes)
                </Anchor>
              ),
              'Time column': <Code>{data.spec.timeColumn}</Code>,
              Declared: <Instant at={data.createdAt} />,
            }}
          />
          <Versions dataset={dataset} />
          <Columns dataset={data} />
          <Rules dataset={data} />
          <ViewsOfDataset dataset={dataset} />
          <EntriesAbout subject={`dataset:${dataset}`} title="Changes of the contract" operation="put-dataset" />
        </Stack>
      )}
    </Page>
  )
}

function Versions({ dataset }: { dataset: string }) {
  return (
    <Panel>
      <Section title="Versions">
        <RowsOverVersions dataset={dataset} />
        <OperationTable
          label="Versions"
          operation={listDatasetVersions}
          input={(cursor) => ({ dataset, limit: 20, cursor })}
          about={['dataset-version']}
          noun="version"
          columns={versionColumns}
          rowKey={({ ref }) => ref}
          empty={
            <Empty title="No version yet" command={`pave ingest-dataset ${dataset} --follow`}>
              A version is made when the source is read and checked against the contract.
            </Empty>
          }
        />
      </Section>
    </Panel>
  )
}

function RowsOverVersions({ dataset }: { dataset: string }) {
  const { data } = useQuery(read(listDatasetVersions, { dataset, limit: 100 }, ['dataset-version']))
  const versions = useMemo(() => [...(data?.items ?? [])].reverse(), [data])
  const option = useMemo(
    () => ({
      legend: { show: true },
      xAxis: { type: 'category', data: versions.map(({ version }) => `@${version}`) },
      yAxis: { type: 'value', name: 'rows' },
      series: [
        { name: 'Kept', type: 'bar', stack: 'rows', data: versions.map(({ rows }) => rows), barMaxWidth: 36 },
        { name: 'In quarantine', type: 'bar', stack: 'rows', data: versions.map(asideOf), barMaxWidth: 36 },
      ],
    }),
    [versions],
  )
  if (versions.length < 3) return null
  const last = versions.at(-1)
  return (
    <Chart
      height={180}
      label={`Rows of ${versions.length} versions; the last, ${last?.ref}, has ${count(last?.rows ?? 0)}`}
      option={option}
    />
  )
}

const versionColumns: readonly Column<DatasetVersion>[] = [
  {
    title: 'Version',
    cell: ({ dataset, version }) => (
      <Anchor
        inherit
        fw={600}
        renderRoot={(props) => (
          <Link {...props} to="/datasets/$dataset/versions/$version" params={{ dataset, version: String(version) }} />
        )}
      >
        @{version}
      </Anchor>
    ),
  },
  { title: 'Rows', number: true, cell: ({ rows }) => count(rows) },
  {
    title: 'In quarantine',
    number: true,
    cell: (version) => <QuarantineLink dataset={version.dataset} version={version.version} counts={version} />,
  },
  { title: 'First row', cell: ({ firstTime }) => firstTime !== null && <Instant at={firstTime} /> },
  { title: 'Last row', cell: ({ lastTime }) => lastTime !== null && <Instant at={lastTime} /> },
  { title: 'Ingested', cell: ({ registeredAt }) => <Instant at={registeredAt} /> },
]

function Columns({ dataset: { spec } }: { dataset: Dataset }) {
  const rows = [
    ...Object.entries(spec.columns).map(([name, column]) => ({ name, ...column, expression: '' })),
    ...Object.entries(spec.derived).map(([name, column]) => ({ name, nullable: true, ...column })),
  ]
  return (
    <Panel>
      <Section title="Columns">
        <DataTable
          label="Columns"
          rows={rows}
          rowKey={({ name }) => name}
          columns={[
            { title: 'Column', cell: ({ name }) => <Code>{name}</Code> },
            { title: 'Type', cell: ({ type, nullable }) => (nullable ? `${type} or null` : type) },
            { title: 'Unit', cell: ({ unit }) => unit ?? '' },
            {
              title: 'Derived from',
              wrap: true,
              cell: ({ expression }) => <span className={styles.code}>{expression}</span>,
            },
            { title: 'Description', wrap: true, cell: ({ description }) => description ?? '' },
          ]}
        />
      </Section>
    </Panel>
  )
}

function Rules({ dataset: { spec, dataset } }: { dataset: Dataset }) {
  const unique = spec.unique && {
    name: 'unique',
    check: spec.unique.columns === undefined ? 'no two rows are the same' : spec.unique.columns.join(', '),
    action: spec.unique.action,
    description: 'Of rows that agree, the first stays',
  }
  const rows = [...(unique === undefined ? [] : [unique]), ...spec.rules]
  return (
    <Panel>
      <Section
        title="Contract"
        aside={
          <Text size="sm" c="dimmed">
            Change it in its manifest, then <Code>pave apply</Code>
          </Text>
        }
      >
        {rows.length === 0 ? (
          <Text size="sm" c="dimmed">
            No rules beyond the types and the nulls. A rule is CEL over the columns of {dataset}.
          </Text>
        ) : (
          <DataTable
            label="Rules"
            rows={rows}
            rowKey={({ name }) => name}
            columns={[
              { title: 'Rule', cell: ({ name }) => name },
              { title: 'Check', wrap: true, cell: ({ check }) => <span className={styles.code}>{check}</span> },
              { title: 'A row that breaks it', cell: ({ action }) => actions[action] },
              { title: 'Description', wrap: true, cell: ({ description }) => description ?? '' },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}

const actions = { quarantine: 'is set aside', warn: 'is counted', fail: 'fails the ingestion' } as const
