import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { percentOfBasisPoints } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type Served, servedVersions } from './served-list.tsx'

/** Where versions of a model answer requests; of one version when it is named. */
export function ServingTable({ model, version }: { model: string; version?: string }) {
  const { data, error } = useQuery(servedVersions(model))
  const rows = data?.filter((one) => version === undefined || one.version === version)
  return (
    <Panel>
      <Section title="Serving">
        {error !== null && <Problem error={error} />}
        {rows?.length === 0 && (
          <Text size="sm" c="dimmed">
            {version ?? 'No version'} {version === undefined ? 'serves anywhere' : 'serves nowhere'}. Release it with{' '}
            <code>
              pave start-release --environment prod --endpoint {model} --version {version ?? `${model}@1`}
            </code>
          </Text>
        )}
        {rows !== undefined && rows.length > 0 && (
          <DataTable
            label="Serving"
            columns={columns}
            rows={rows}
            rowKey={(row) => `${row.environment}/${row.endpoint} ${row.version}`}
          />
        )}
      </Section>
    </Panel>
  )
}

const columns: readonly Column<Served>[] = [
  {
    title: 'Endpoint',
    cell: ({ environment, endpoint }) => <SubjectLink kind="endpoint" id={`${environment}/${endpoint}`} bare />,
  },
  { title: 'Version', cell: ({ version }) => <SubjectLink kind="version" id={version} bare /> },
  { title: 'As', cell: ({ variant }) => variant },
  {
    title: 'Share of the traffic',
    number: true,
    cell: ({ variant, weight }) => (variant === 'shadow' ? 'answers nobody' : percentOfBasisPoints(weight)),
  },
  {
    title: 'Release',
    cell: ({ release }) => (release === null ? '–' : <SubjectLink kind="release" id={release} bare />),
  },
]
