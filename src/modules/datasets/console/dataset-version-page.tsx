import { Anchor, Button, Select, SimpleGrid, Skeleton, Stack, Tabs, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { z } from 'zod'
import { read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { count, percent, shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { LineageAround } from '../../../console/lineage/lineage-around.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { PageTabs } from '../../../console/page-tabs.tsx'
import { type DatasetVersion, getDataset, getDatasetVersion, listDatasetVersions } from '../contract.ts'
import { ColumnPicture } from './column-picture.tsx'
import { asideOf, ruleResults } from './dataset-view.ts'
import styles from './datasets.module.css'
import { QuarantineRows } from './quarantine-rows.tsx'

const PageState = z.object({
  against: z.coerce.string().optional().catch(undefined),
  rule: z.string().optional().catch(undefined),
})

/** One immutable version: what is in it, how it kept its contract, and what was set aside. */
export function DatasetVersionPage() {
  const { dataset, version: number } = getRouteApi('/signed-in/datasets/$dataset/versions/$version').useParams()
  const { data, error } = useQuery(read(getDatasetVersion, { dataset, version: number }, ['dataset-version']))
  const [{ against, rule }, change] = usePageState(PageState)
  return (
    <Page
      title={data?.ref ?? `${dataset}@${number}`}
      within={[
        { title: 'Datasets', link: { to: '/datasets' } },
        { title: dataset, link: { to: '/datasets/$dataset', params: { dataset } } },
      ]}
      actions={
        data !== undefined && (
          <Button
            size="xs"
            variant="default"
            component="a"
            href={`/api/v1/objects/${data.digest}`}
            download={`${data.ref}.parquet`}
          >
            Download Parquet
          </Button>
        )
      }
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <>
          <Facts
            of={{
              Rows: count(data.rows),
              'In quarantine': count(asideOf(data)),
              'First row': data.firstTime === null ? undefined : <Instant at={data.firstTime} />,
              'Last row': data.lastTime === null ? undefined : <Instant at={data.lastTime} />,
              Ingested: <Instant at={data.registeredAt} />,
              Contract: <span title={data.contractDigest}>{shortened(data.contractDigest)}</span>,
              Identity: <span title={data.digest}>{shortened(data.digest)}</span>,
            }}
          />
          <PageTabs
            tabs={{
              profile: 'Profile',
              contract: 'Contract',
              quarantine: `Quarantine (${count(asideOf(data))})`,
              lineage: 'Lineage',
            }}
          >
            <Tabs.Panel value="profile">
              <Profile version={data} against={against} compare={(other) => change({ against: other })} />
            </Tabs.Panel>
            <Tabs.Panel value="contract">
              <ContractResults version={data} />
            </Tabs.Panel>
            <Tabs.Panel value="quarantine">
              <QuarantineRows version={data} rule={rule} choose={(chosen) => change({ rule: chosen })} />
            </Tabs.Panel>
            <Tabs.Panel value="lineage">
              <Stack>
                <LineageAround kind="dataset-version" id={data.ref} />
                <EntriesAbout subject={`dataset-version:${data.ref}`} title="Ledger" />
              </Stack>
            </Tabs.Panel>
          </PageTabs>
        </>
      )}
    </Page>
  )
}

interface ProfileProps {
  version: DatasetVersion
  against: string | undefined
  compare: (version: string | undefined) => void
}

function Profile({ version, against, compare }: ProfileProps) {
  const { dataset } = version
  const { data: versions } = useQuery(read(listDatasetVersions, { dataset, limit: 100 }, ['dataset-version']))
  const other = versions?.items.find((one) => String(one.version) === against)
  const others = (versions?.items ?? []).filter((one) => one.version !== version.version)
  return (
    <Panel>
      <Section
        title="Columns"
        aside={
          others.length > 0 && (
            <Select
              aria-label="Compare with"
              placeholder="Compare with …"
              size="xs"
              clearable
              data={others.map((one) => ({ value: String(one.version), label: one.ref }))}
              value={against ?? null}
              onChange={(chosen) => compare(chosen ?? undefined)}
            />
          )
        }
      >
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="lg" verticalSpacing="lg">
          {version.profile.map((column) => {
            const same = other?.profile.find(({ name }) => name === column.name)
            return (
              <ColumnPicture
                key={column.name}
                of={[
                  { name: version.ref, rows: version.rows, column },
                  ...(other === undefined || same === undefined
                    ? []
                    : [{ name: other.ref, rows: other.rows, column: same }]),
                ]}
              />
            )
          })}
        </SimpleGrid>
      </Section>
    </Panel>
  )
}

function ContractResults({ version }: { version: DatasetVersion }) {
  const { data, error } = useQuery(read(getDataset, { dataset: version.dataset }, ['dataset']))
  if (error !== null) return <Problem error={error} />
  if (data === undefined) return <Skeleton height={200} radius="lg" />
  return (
    <Panel>
      <Section title="What each rule found">
        {data.contractDigest !== version.contractDigest && (
          <Text size="sm" c="dimmed" mb="xs">
            The contract has changed since this version was made; the checks are shown as they are now.
          </Text>
        )}
        <DataTable
          label="What each rule found"
          rows={ruleResults(data.spec, version)}
          rowKey={({ rule }) => rule}
          columns={[
            { title: 'Rule', cell: ({ rule }) => rule },
            { title: 'Check', wrap: true, cell: ({ check }) => <span className={styles.code}>{check}</span> },
            { title: 'Action', cell: ({ action }) => action },
            { title: 'Rows checked', number: true, cell: ({ checked }) => count(checked) },
            {
              title: 'Broke it',
              number: true,
              cell: ({ rule, failed }) =>
                version.quarantined[rule] === undefined ? (
                  count(failed)
                ) : (
                  <Anchor
                    inherit
                    renderRoot={(props) => (
                      <Link
                        {...props}
                        to="/datasets/$dataset/versions/$version"
                        params={{ dataset: version.dataset, version: String(version.version) }}
                        search={{ tab: 'quarantine', rule }}
                      />
                    )}
                  >
                    {count(failed)}
                  </Anchor>
                ),
            },
            {
              title: 'Share',
              number: true,
              cell: ({ checked, failed }) => (checked === 0 ? '' : percent(failed / checked)),
            },
            { title: 'Why', wrap: true, cell: ({ description }) => description },
          ]}
        />
      </Section>
    </Panel>
  )
}
