import { Anchor, Switch, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import type { TrackingRun } from '../contract.ts'
import { type ComparedValue, comparedValues } from './compare-runs-view.ts'

const PageState = z.object({ same: z.boolean().optional().catch(undefined) })

/** Columns that a reader may still tell apart. */
const mostColumns = 30

/** What runs were given and what they reached, side by side. */
export function CompareValues({ runs: all }: { runs: readonly TrackingRun[] }) {
  const [{ same = false }, change] = usePageState(PageState)
  const runs = all.slice(0, mostColumns)
  const values = comparedValues(runs)
  return (
    <Panel>
      <Section
        title="Side by side"
        aside={
          <Switch
            label="Also what is the same"
            checked={same}
            onChange={(event) => change({ same: event.currentTarget.checked || undefined })}
          />
        }
      >
        <RunLegend runs={runs} />
        <ComparisonTable label="Runs side by side" runs={runs} values={values} same={same} />
        {all.length > mostColumns && (
          <Text size="sm" c="dimmed" mt="xs">
            The first {mostColumns} of {all.length} runs.
          </Text>
        )}
      </Section>
    </Panel>
  )
}

/** Which number stands for which run. */
export function RunLegend({ runs }: { runs: readonly TrackingRun[] }) {
  return (
    <Text size="sm" c="dimmed" mb="xs">
      {runs.map(({ run, name }, index) => (
        <span key={run} style={{ overflowWrap: 'anywhere' }}>
          {index > 0 && ', '}
          {index + 1}.{' '}
          <Anchor inherit renderRoot={(props) => <Link {...props} to="/tracking-runs/$run" params={{ run }} />}>
            <bdi>{name}</bdi>
          </Anchor>
        </span>
      ))}
    </Text>
  )
}

interface ComparisonProps {
  label: string
  runs: readonly TrackingRun[]
  values: readonly ComparedValue[]
  /** With what all runs have alike. */
  same: boolean
}

export function ComparisonTable({ label, runs, values, same }: ComparisonProps) {
  const rows = same ? values : values.filter(({ differs }) => differs)
  const columns: Column<ComparedValue>[] = [
    { title: 'Of the run', wrap: true, cell: ({ name }) => name },
    ...runs.map(
      ({ name }, index): Column<ComparedValue> => ({
        title: `${index + 1}. ${cut(name)}`,
        wrap: true,
        cell: ({ texts }) => (
          <>
            <Text span size="sm" c="dimmed" hiddenFrom="sm">
              {index + 1}. <bdi>{cut(name)}</bdi>:{' '}
            </Text>
            <span style={{ overflowWrap: 'anywhere' }}>{texts[index] ?? '–'}</span>
          </>
        ),
      }),
    ),
  ]
  if (rows.length === 0) return <Text size="sm">They have nothing that differs.</Text>
  return <DataTable label={label} columns={columns} rows={rows} rowKey={({ name }) => name} />
}

/** A name at the length that a column has room for; the list above the table has all of it. */
function cut(name: string): string {
  const characters = Array.from(name)
  return characters.length <= 24 ? name : `${characters.slice(0, 23).join('')}…`
}
