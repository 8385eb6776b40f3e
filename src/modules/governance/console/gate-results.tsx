import { Anchor, Code, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { evaluateGates, type RuleResult } from '../contract.ts'
import { valueText } from './rule-view.ts'

/** Every rule that applies to a version, with the numbers that decide it. */
export function GateResults({ version }: { version: string }) {
  const { data, error } = useQuery(read(evaluateGates, { version }, ['policy', 'version', 'model']))
  const failed = data?.rules.filter((rule) => !rule.passed).length ?? 0
  return (
    <Panel>
      <Section
        title="Gates"
        aside={
          data !== undefined &&
          data.rules.length > 0 &&
          (failed === 0 ? (
            <State tone="good">passes all {data.rules.length}</State>
          ) : (
            <State tone="bad">
              fails {failed} of {data.rules.length}
            </State>
          ))
        }
      >
        <Pending data={data} error={error} height={160} />
        {data?.rules.length === 0 && (
          <Text size="sm" c="dimmed">
            No policy applies to this model, so nothing stops a release of it. See the{' '}
            <Anchor inherit renderRoot={(props) => <Link {...props} to="/policies" />}>
              policies
            </Anchor>
            .
          </Text>
        )}
        {data !== undefined && (
          <Stack gap="xs">
            {data.rules.length > 0 && (
              <DataTable
                label="Gate rules"
                columns={columns}
                rows={data.rules.toSorted((a, b) => Number(a.passed) - Number(b.passed))}
                rowKey={({ policy, rule }) => `${policy} ${rule}`}
              />
            )}
            <Text size="sm" c="dimmed">
              {data.approvals.quorum === 0
                ? 'A release of it needs no approval.'
                : `A release of it waits for ${data.approvals.quorum} ${data.approvals.quorum === 1 ? 'approval' : 'approvals'} by others than its author and whoever asks for it.`}
            </Text>
          </Stack>
        )}
      </Section>
    </Panel>
  )
}

const columns: readonly Column<RuleResult>[] = [
  {
    title: 'Result',
    cell: ({ passed }) => (passed ? <State tone="good">passed</State> : <State tone="bad">failed</State>),
  },
  {
    title: 'Rule',
    wrap: true,
    cell: ({ rule, message }) => (
      <>
        <strong>{rule}</strong>
        <Text size="sm" c="dimmed">
          {message}
        </Text>
      </>
    ),
  },
  {
    title: 'Expression',
    wrap: true,
    cell: ({ check }) => <Code style={{ overflowWrap: 'anywhere' }}>{check}</Code>,
  },
  {
    title: 'What it saw',
    wrap: true,
    cell: ({ values, error }) => (
      <>
        {Object.entries(values).map(([path, value]) => (
          <div key={path} style={{ overflowWrap: 'anywhere' }}>
            <Text span size="sm" c="dimmed">
              {path}
            </Text>{' '}
            {valueText(value)}
          </div>
        ))}
        {error !== null && (
          <Text size="sm" c="var(--bad)">
            {error}
          </Text>
        )}
      </>
    ),
  },
  { title: 'Policy', cell: ({ policy }) => <SubjectLink kind="policy" id={policy} bare /> },
]
