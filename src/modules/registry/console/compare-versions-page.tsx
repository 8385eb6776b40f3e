import { Badge, Skeleton, Stack, Switch, Text } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { z } from 'zod'
import { getRun } from '#modules/pipelines/contract.ts'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count, shortened } from '../../../console/design/format.ts'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getVersion, type Version } from '../contract.ts'
import {
  type ComparedRow,
  comparedFeatures,
  comparedOrigins,
  comparedRows,
  comparedSignatures,
  versionsOf,
} from './compare-view.ts'
import { DifferenceText } from './difference-text.tsx'
import { MeasuredText } from './interval-text.tsx'
import { differenceOf, measuredOf, metricNames, metricText, rowsOf } from './metric-view.ts'
import { ProfileCharts } from './profile-charts.tsx'

const PageState = z.object({
  versions: z.coerce.string().catch(''),
  all: z.boolean().optional().catch(undefined),
})

/** Versions of one model side by side; the first is what the others are compared with. */
export function CompareVersionsPage() {
  const { model } = getRouteApi('/signed-in/models/$model/compare').useParams()
  const [{ versions: asked, all = false }, change] = usePageState(PageState)
  const numbers = versionsOf(asked)
  const answers = useQueries({
    queries: numbers.map((number) => read(getVersion, { version: `${model}@${number}` }, ['version', 'model'])),
  })
  const error = answers.find((one) => one.error !== null)?.error
  const versions = answers.flatMap(({ data }) => (data === undefined ? [] : [data]))
  const ready = versions.length === numbers.length && numbers.length >= 2
  return (
    <Page
      title={`Compare versions of ${model}`}
      within={[
        { title: 'Models', link: { to: '/models' } },
        { title: model, link: { to: '/models/$model', params: { model } } },
      ]}
      about={
        ready &&
        `${versions[0]?.ref} is what ${versions
          .slice(1)
          .map(({ ref }) => ref)
          .join(', ')} ${versions.length === 2 ? 'is' : 'are'} compared with.`
      }
      actions={
        ready && (
          <Switch
            label="Also what is the same"
            checked={all}
            onChange={(event) => change({ all: event.currentTarget.checked || undefined })}
          />
        )
      }
    >
      {error && <Problem error={error} />}
      {numbers.length < 2 && (
        <Empty title="Choose two versions or more">
          Tick them in the list of versions of {model}, or write their numbers in the address: ?versions=1,2.
        </Empty>
      )}
      {!error && numbers.length >= 2 && !ready && <Skeleton height={300} radius="lg" />}
      {ready && (
        <Stack>
          <Metrics versions={versions} />
          <Slices versions={versions} />
          <Profiles versions={versions} />
          <Rows title="Signature" rows={comparedSignatures(versions)} versions={versions} all={all} />
          <Rows title="Features" rows={comparedFeatures(versions)} versions={versions} all={all} />
          <Parameters versions={versions} all={all} />
          <Rows title="Made from" rows={comparedOrigins(versions)} versions={versions} all={all} />
        </Stack>
      )}
    </Page>
  )
}

const heading = ({ version, aliases }: Version) => `@${version}${aliases.length > 0 ? ` (${aliases.join(', ')})` : ''}`

function Metrics({ versions }: { versions: readonly Version[] }) {
  const measured = versions.map(({ metrics }) => measuredOf(metrics))
  const rows = metricNames(versions).map((name) => ({
    name,
    values: measured.map((of) => of.find((one) => one.name === name)),
  }))
  return (
    <Panel>
      <Section
        title="Metrics"
        aside={
          <Text size="sm" c="dimmed">
            rows:{' '}
            {versions
              .map(({ metrics }) => rowsOf(metrics))
              .map((n) => (n === null ? 'unknown' : count(n)))
              .join(', ')}
          </Text>
        }
      >
        {rows.length === 0 ? (
          <Text size="sm" c="dimmed">
            None of them has any.
          </Text>
        ) : (
          <>
            <DataTable
              label="Metrics side by side"
              rows={rows}
              rowKey={({ name }) => name}
              columns={[
                { title: 'Metric', cell: ({ name }) => name },
                ...versions.flatMap((version, index): Column<(typeof rows)[number]>[] => [
                  {
                    title: heading(version),
                    number: true,
                    cell: ({ values }) => <MeasuredText measured={values[index]} />,
                  },
                  ...(index === 0
                    ? []
                    : [
                        {
                          title: `${heading(version)} − @${versions[0]?.version}`,
                          number: true,
                          cell: ({ name, values }: (typeof rows)[number]) => (
                            <DifferenceText difference={differenceOf(name, values[0], values[index])} />
                          ),
                        },
                      ]),
                ]),
              ]}
            />
            <Text size="xs" c="dimmed" mt="xs">
              Small numbers are 95 % confidence intervals. A difference is called better or worse only when its interval
              leaves zero out; both evaluations are taken as independent, which errs on the careful side when they were
              made on the same rows.
            </Text>
          </>
        )}
      </Section>
    </Panel>
  )
}

function Slices({ versions }: { versions: readonly Version[] }) {
  const [metric] = metricNames(versions.flatMap(({ slices }) => slices))
  const names = [...new Set(versions.flatMap(({ slices }) => slices.map(({ slice }) => slice)))]
  if (metric === undefined) return null
  const rows = names.map((slice) => ({
    slice,
    values: versions.map(({ slices }) => {
      const found = slices.find((one) => one.slice === slice)
      return found && measuredOf(found.metrics, found.rows).find(({ name }) => name === metric)
    }),
  }))
  return (
    <Panel>
      <Section
        title="Slices"
        aside={
          <Text size="sm" c="dimmed">
            by {metric}
          </Text>
        }
      >
        <DataTable
          label="Slices side by side"
          rows={rows.slice(0, 100)}
          rowKey={({ slice }) => slice}
          columns={[
            { title: 'Slice', wrap: true, cell: ({ slice }) => slice },
            ...versions.flatMap((version, index): Column<(typeof rows)[number]>[] => [
              {
                title: heading(version),
                number: true,
                cell: ({ values }) => <MeasuredText measured={values[index]} />,
              },
              ...(index === 0
                ? []
                : [
                    {
                      title: `${heading(version)} − @${versions[0]?.version}`,
                      number: true,
                      cell: ({ values }: (typeof rows)[number]) => (
                        <DifferenceText difference={differenceOf(metric, values[0], values[index])} />
                      ),
                    },
                  ]),
            ]),
          ]}
        />
      </Section>
    </Panel>
  )
}

function Profiles({ versions }: { versions: readonly Version[] }) {
  const named = versions.map(({ version, profile, predictionProfile }) => ({
    name: `@${version}`,
    profiles: [...profile, ...(predictionProfile === null ? [] : [predictionProfile])],
  }))
  if (named.every(({ profiles }) => profiles.length === 0)) return null
  return (
    <Panel>
      <Section title="Training profiles">
        <ProfileCharts of={named} />
      </Section>
    </Panel>
  )
}

/** The params of the runs that made them; versions that no pipeline made have none. */
function Parameters({ versions, all }: { versions: readonly Version[]; all: boolean }) {
  const runs = useQueries({
    queries: versions.map(({ run }) => ({
      ...read(getRun, { run: run ?? '' }, ['run']),
      enabled: run !== null,
      retry: false,
    })),
  })
  const params = runs.map(
    ({ data }) => new Map(Object.entries(data?.params ?? {}).map(([name, value]) => [name, String(value)])),
  )
  if (params.every((of) => of.size === 0)) return null
  return <Rows title="Parameters of their runs" rows={comparedRows(params)} versions={versions} all={all} />
}

interface RowsProps {
  title: string
  rows: readonly ComparedRow[]
  versions: readonly Version[]
  all: boolean
}

function Rows({ title, rows, versions, all }: RowsProps) {
  const shown = all ? rows : rows.filter(({ same }) => !same)
  return (
    <Panel>
      <Section title={title}>
        {shown.length === 0 ? (
          <Text size="sm" c="dimmed">
            {rows.length === 0 ? 'Nothing is recorded.' : 'The same in all of them.'}
          </Text>
        ) : (
          <DataTable
            label={title}
            rows={shown}
            rowKey={({ name }) => name}
            columns={[
              {
                title: 'What',
                wrap: true,
                cell: ({ name, same }) => (
                  <>
                    {name} {!same && all && <Badge color="yellow">differs</Badge>}
                  </>
                ),
              },
              ...versions.map(
                (version, index): Column<ComparedRow> => ({
                  title: heading(version),
                  wrap: true,
                  cell: ({ name, values }) => <Origin name={name} value={values[index] ?? null} />,
                }),
              ),
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}

function Origin({ name, value }: { name: string; value: string | null }) {
  if (value === null) return '–'
  if (name === 'Data') {
    return value.split(', ').map((dataset) => (
      <span key={dataset}>
        <SubjectLink kind="dataset-version" id={dataset} bare />{' '}
      </span>
    ))
  }
  if (name === 'Feature service') return <SubjectLink kind="feature-service" id={value} bare />
  return (
    <span title={value} style={{ overflowWrap: 'anywhere' }}>
      {/^-?\d+\.\d{5,}$/.test(value) ? metricText(Number(value)) : shortened(value)}
    </span>
  )
}
