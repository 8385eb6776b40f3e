import { Anchor, Switch, Text } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { getTrackingRun } from '../contract.ts'
import { type ComparedValue, comparedValues } from './compare-runs-view.ts'

const PageState = z.object({ same: z.boolean().optional().catch(undefined) })

/** What a few runs were given and what they reached, side by side. */
export function CompareRuns({ runs }: { runs: readonly string[] }) {
  const [{ same = false }, change] = usePageState(PageState)
  const described = useQueries({ queries: runs.map((run) => read(getTrackingRun, { run }, ['run', 'tracking-run'])) })
  const known = described.flatMap(({ data }) => (data === undefined ? [] : [data]))
  if (known.length < 2) return null
  const values = comparedValues(known)
  const rows = same ? values : values.filter(({ differs }) => differs)
  const columns: Column<ComparedValue>[] = [
    { title: 'Of the run', wrap: true, cell: ({ name }) => name },
    ...known.map(
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
        <Text size="sm" c="dimmed" mb="xs">
          {known.map(({ run, name }, index) => (
            <span key={run} style={{ overflowWrap: 'anywhere' }}>
              {index > 0 && ', '}
              {index + 1}.{' '}
              <Anchor inherit renderRoot={(props) => <Link {...props} to="/tracking-runs/$run" params={{ run }} />}>
                <bdi>{name}</bdi>
              </Anchor>
            </span>
          ))}
        </Text>
        {rows.length === 0 ? (
          <Text size="sm">They have nothing that differs.</Text>
        ) : (
          <DataTable label="Runs side by side" columns={columns} rows={rows} rowKey={({ name }) => name} />
        )}
      </Section>
    </Panel>
  )
}

/** A name at the length that a column has room for; the list above the table has all of it. */
function cut(name: string): string {
  const characters = Array.from(name)
  return characters.length <= 24 ? name : `${characters.slice(0, 23).join('')}…`
}
