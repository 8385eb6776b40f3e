import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type Finding, listFindings } from '../contract.ts'
import { limitSign, measured, severityTones, subjectOf } from './monitor-view.ts'

const columns: readonly Column<Finding>[] = [
  {
    title: 'Finding',
    cell: (finding) => (
      <Anchor
        inherit
        fw={600}
        renderRoot={(props) => <Link {...props} to="/findings/$finding" params={{ finding: finding.finding }} />}
      >
        {subjectOf(finding)}
      </Anchor>
    ),
  },
  {
    title: 'State',
    cell: ({ state, severity }) =>
      state === 'open' ? (
        <State tone={severityTones[severity]}>open, {severity}</State>
      ) : (
        <State tone="good">resolved</State>
      ),
  },
  {
    title: 'Value',
    number: true,
    cell: ({ kind, value, threshold }) => (
      <>
        {measured(kind, value)}{' '}
        <Text span size="sm" c="dimmed">
          {limitSign(kind)} {threshold.toFixed(3)}
        </Text>
      </>
    ),
  },
  {
    title: 'Since (event time)',
    cell: ({ since }) => (
      <>
        <Text span size="sm" c="dimmed" hiddenFrom="sm">
          since{' '}
        </Text>
        <Instant at={since} />
      </>
    ),
  },
  { title: 'Version', cell: ({ version }) => <SubjectLink kind="version" id={version} bare /> },
  { title: 'Retraining', cell: ({ run }) => (run === null ? null : <SubjectLink kind="run" id={run} />) },
]

interface FindingListProps {
  environment: string
  endpoint?: string
  monitor?: string
}

/** What monitors found on an endpoint or by one monitor, newest first. */
export function FindingList(where: FindingListProps) {
  return (
    <Panel>
      <Section title="Findings">
        <OperationTable
          label="Findings"
          operation={listFindings}
          input={(cursor) => ({ ...where, limit: 20, cursor })}
          about={['finding', 'monitor']}
          noun="finding"
          columns={columns}
          rowKey={({ finding }) => finding}
          empty={<Text c="dimmed">Nothing was found yet.</Text>}
        />
      </Section>
    </Panel>
  )
}
