import { Code, Text } from '@mantine/core'
import { useMemo } from 'react'
import { DataTable } from '../../../console/design/data-table.tsx'
import { counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import type { TrackingRun } from '../contract.ts'
import { packagesOf } from './environment-view.ts'
import { reproductionOf } from './reproduction.ts'
import { useEnvironments } from './use-environments.ts'

/** Whether a run could be made again: what it recorded of its code, data and environment, and how to record the rest. */
export function ReproductionPanel({ run }: { run: TrackingRun }) {
  const runs = useMemo(() => [run], [run])
  const [environment] = useEnvironments(runs).environments
  if (environment === undefined) return null
  const packages = environment === null ? undefined : packagesOf(environment.text).size
  const lines = reproductionOf(
    run,
    environment === null ? undefined : `${environment.path}, ${counted(packages ?? 0, 'package')}`,
  )
  const missing = lines.filter(({ known }) => known === undefined).length
  const diff = run.tags['mlflow.source.git.diff']
  return (
    <Panel>
      <Section
        title="Can this be reproduced?"
        aside={
          <State tone={missing === 0 ? 'good' : 'warn'}>
            {missing === 0 ? 'All of it is recorded' : `${missing} of ${lines.length} are missing`}
          </State>
        }
      >
        <DataTable
          label="Can this be reproduced?"
          rows={lines}
          rowKey={({ what }) => what}
          columns={[
            { title: 'What', wrap: true, cell: ({ what }) => what },
            {
              title: 'Recorded',
              cell: ({ known }) => (
                <State tone={known === undefined ? 'warn' : 'good'}>{known === undefined ? 'missing' : 'yes'}</State>
              ),
            },
            {
              title: 'What is known, or what to do',
              wrap: true,
              cell: ({ known, advice }) =>
                known === undefined ? <Code>{advice}</Code> : <span style={{ overflowWrap: 'anywhere' }}>{known}</span>,
            },
          ]}
        />
        {diff !== undefined && (
          <details>
            <Text component="summary" size="sm" style={{ cursor: 'pointer' }}>
              The diff
            </Text>
            <Code block tabIndex={0} role="region" aria-label="The diff" mah={400} style={{ overflow: 'auto' }}>
              {diff}
            </Code>
          </details>
        )}
      </Section>
    </Panel>
  )
}
