import { Text } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { traceLineage } from '#platform/kernel/contract.ts'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { percentOfBasisPoints } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State, type Tone } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getRelease, type Release } from '../contract.ts'

const most = 20

/** Each time that a version was released somewhere, newest first. */
export function VersionReleases({ version }: { version: string }) {
  const object = `version:${version}`
  const lineage = useQuery(read(traceLineage, { object, direction: 'downstream', depth: 1 }, ['release']))
  const ids = [...new Set((lineage.data?.edges ?? []).filter(({ to }) => to.kind === 'release').map(({ to }) => to.id))]
  const releases = useQueries({
    // Ids rise with time.
    queries: ids
      .sort()
      .toReversed()
      .slice(0, most)
      .map((release) => read(getRelease, { release }, ['release'])),
  })
  const rows = releases.flatMap(({ data }) => (data === undefined ? [] : [data]))
  return (
    <Panel>
      <Section title="Releases">
        {lineage.error !== null && <Problem error={lineage.error} />}
        {lineage.data !== undefined && ids.length === 0 && (
          <Text size="sm" c="dimmed">
            It was never released.
          </Text>
        )}
        {rows.length > 0 && <DataTable label="Releases" columns={columns} rows={rows} rowKey={({ id }) => id} />}
        {ids.length > most && (
          <Text size="sm" c="dimmed" mt="xs">
            The newest {most} of {ids.length}.
          </Text>
        )}
      </Section>
    </Panel>
  )
}

const tones: Record<Release['state'], Tone> = {
  shadow: 'busy',
  canary: 'busy',
  completed: 'good',
  'rolled-back': 'bad',
}

const columns: readonly Column<Release>[] = [
  { title: 'Release', cell: ({ id }) => <SubjectLink kind="release" id={id} bare /> },
  {
    title: 'Endpoint',
    cell: ({ environment, endpoint }) => <SubjectLink kind="endpoint" id={`${environment}/${endpoint}`} bare />,
  },
  {
    title: 'State',
    cell: ({ state, weight }) => (
      <State tone={tones[state]}>
        {state.replace('-', ' ')} {state === 'canary' && percentOfBasisPoints(weight)}
      </State>
    ),
  },
  { title: 'Began', cell: ({ startedAt }) => <Instant at={startedAt} /> },
  { title: 'Ended', cell: ({ endedAt }) => (endedAt === null ? '–' : <Instant at={endedAt} />) },
  { title: 'Reason', wrap: true, cell: ({ reason }) => reason ?? '–' },
]
