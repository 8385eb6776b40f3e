import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { AnswerOf } from '#platform/operation.ts'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { State } from '../../../console/design/state.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { listRuns, type RunState } from '../contract.ts'
import { Lasted } from './pipelines-page.tsx'
import { runTones } from './run-view.ts'

/** The runs of a pipeline, newest first. */
export function RunTable({ pipeline, state }: { pipeline: string; state: RunState | undefined }) {
  return (
    <OperationTable
      label="Runs"
      operation={listRuns}
      input={(cursor) => ({ pipeline, ...(state && { state }), limit: 25, cursor })}
      about={['run']}
      noun="run"
      columns={columns}
      rowKey={(row) => row.run}
      empty={
        <Text size="sm" c="dimmed">
          {state === undefined ? 'It never ran. Start a run above, or with ' : `None is ${state}.`}
          {state === undefined && <code>pave start-run --pipeline {pipeline}</code>}
        </Text>
      }
    />
  )
}

type Row = AnswerOf<typeof listRuns>['items'][number]

const columns: readonly Column<Row>[] = [
  {
    title: 'Run',
    cell: ({ run }) => (
      <Anchor inherit title={run} renderRoot={(props) => <Link {...props} to="/runs/$run" params={{ run }} />}>
        {shortened(run)}
      </Anchor>
    ),
  },
  { title: 'State', cell: ({ state }) => <State tone={runTones[state]}>{state}</State> },
  { title: 'Created', cell: ({ createdAt }) => <Instant at={createdAt} /> },
  { title: 'Took', number: true, cell: (row) => <Lasted of={row} /> },
  { title: 'For', cell: ({ actsFor }) => <PersonName id={actsFor} /> },
  {
    title: 'Why',
    wrap: true,
    cell: ({ reason, error }) => (
      <>
        {reason || '–'}
        {error !== null && (
          <Text size="sm" c="var(--bad)" lineClamp={1} title={error.message}>
            {error.message}
          </Text>
        )}
      </>
    ),
  },
]
