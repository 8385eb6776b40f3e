import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { duration } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { listReleases, type Release } from '../contract.ts'
import { releaseTones, stageOf } from './release-stages.tsx'

const columns: readonly Column<Release>[] = [
  {
    title: 'Release',
    cell: ({ id, version }) => (
      <Anchor
        inherit
        fw={600}
        renderRoot={(props) => <Link {...props} to="/releases/$release" params={{ release: id }} />}
      >
        {version}
      </Anchor>
    ),
  },
  { title: 'State', cell: (release) => <State tone={releaseTones[release.state]}>{stageOf(release)}</State> },
  { title: 'Began', cell: ({ startedAt }) => <Instant at={startedAt} /> },
  {
    title: 'Took',
    number: true,
    cell: ({ startedAt, endedAt }) => (endedAt === null ? '–' : duration(Date.parse(endedAt) - Date.parse(startedAt))),
  },
  { title: 'By', cell: ({ startedByName }) => startedByName ?? '–' },
  {
    title: 'In place of',
    cell: ({ previous }) => (previous === null ? '–' : <SubjectLink kind="version" id={previous} bare />),
  },
  {
    title: 'Why',
    wrap: true,
    cell: ({ note, reason }) => (
      <>
        {note}
        {reason !== null && (
          <Text span size="sm" c="dimmed">
            {note !== '' && ' · '}
            {reason}
          </Text>
        )}
      </>
    ),
  },
]

/** Every release of an endpoint, newest first. */
export function ReleaseHistory({ environment, endpoint }: { environment: string; endpoint: string }) {
  return (
    <Panel>
      <Section title="Releases">
        <OperationTable
          label="Releases"
          operation={listReleases}
          input={(cursor) => ({ environment, endpoint, limit: 20, cursor })}
          about={['release', 'endpoint']}
          noun="release"
          columns={columns}
          rowKey={(release) => release.id}
          empty={<Text c="dimmed">Nothing was released to it yet.</Text>}
        />
      </Section>
    </Panel>
  )
}
