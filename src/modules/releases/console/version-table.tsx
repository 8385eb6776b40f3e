import { Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { listVersions, type Version } from '#modules/registry/contract.ts'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { score } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State, type Tone } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { Endpoint, Release } from '../contract.ts'
import { type VersionState, versionState } from './release-view.ts'

const tones: Record<VersionState, Tone> = {
  serving: 'good',
  shadow: 'busy',
  canary: 'busy',
  previous: 'idle',
  'rolled back': 'bad',
  'served before': 'idle',
  registered: 'idle',
}

interface VersionTableProps {
  endpoint: Endpoint
  /** Newest first; undefined until they are known, and the states of the versions with them. */
  releases: readonly Release[] | undefined
}

/** The versions of an endpoint's model and what each of them is to the endpoint. */
export function VersionTable({ endpoint, releases }: VersionTableProps) {
  const { model } = endpoint.spec
  const { data, error, isPending } = useQuery(read(listVersions, { model, limit: 10 }, ['version', 'model']))
  const metric = data === undefined ? undefined : shownMetric(data.items)
  const columns: Column<Version>[] = [
    {
      title: 'Version',
      cell: ({ ref }) => (
        <strong>
          <SubjectLink kind="version" id={ref} bare />
        </strong>
      ),
    },
    {
      title: 'State',
      cell: ({ ref }) => {
        const state = releases && versionState(ref, endpoint, releases)
        return state && <State tone={tones[state]}>{state}</State>
      },
    },
    ...(metric === undefined
      ? []
      : [
          {
            title: nameOf(metric),
            number: true,
            cell: (version: Version) => (
              <>
                <OnPhone>{nameOf(metric)}</OnPhone> {scoreOf(version.metrics[metric])}
              </>
            ),
          },
          {
            title: `Baseline ${nameOf(metric)}`,
            number: true,
            cell: (version: Version) => (
              <span title={version.baseline?.name}>
                <OnPhone>baseline</OnPhone> {scoreOf(version.baseline?.metrics[metric])}
              </span>
            ),
          },
        ]),
    { title: 'Aliases', cell: ({ aliases }) => aliases.join(', ') },
    { title: 'Registered', cell: ({ registeredAt }) => <Instant at={registeredAt} /> },
  ]
  return (
    <Section title={`Versions of ${model}`}>
      {error && <Problem error={error} />}
      {isPending && <Skeleton height={80} />}
      {data?.items.length === 0 && <Text c="dimmed">None is registered yet.</Text>}
      {data !== undefined && data.items.length > 0 && (
        <DataTable
          label={`Versions of ${model}`}
          columns={columns}
          rows={data.items}
          rowKey={(version) => version.ref}
        />
      )}
    </Section>
  )
}

const OnPhone = ({ children }: { children: string }) => (
  <Text span size="sm" c="dimmed" hiddenFrom="sm">
    {children}
  </Text>
)

/** AUC where it was measured, else whatever was measured first. */
function shownMetric(versions: readonly Pick<Version, 'metrics'>[]): string | undefined {
  const names = versions.flatMap((version) => Object.keys(version.metrics))
  return names.includes('auc') ? 'auc' : names[0]
}

const nameOf = (metric: string): string => (metric === 'auc' ? 'AUC' : metric)

const scoreOf = (value: number | undefined): string => (value === undefined ? '–' : score(value))
