import { Button, Text } from '@mantine/core'
import { useState } from 'react'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { count } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import type { Version } from '../contract.ts'
import { DifferenceText } from './difference-text.tsx'
import { MeasuredText } from './interval-text.tsx'
import { differenceOf, directionOf, measuredOf, metricNames } from './metric-view.ts'

type SliceRow = Version['slices'][number]

const pageSize = 20

/** How the version does on parts of the evaluation set, the worst part first. */
export function SlicesTable({ version: { metrics, slices } }: { version: Version }) {
  const [shown, setShown] = useState(pageSize)
  const names = metricNames(slices)
  const [first = ''] = names
  const sign = directionOf(first) === 'lower' ? -1 : 1
  const worst = slices.toSorted((a, b) => sign * ((a.metrics[first] ?? 0) - (b.metrics[first] ?? 0)))
  const whole = measuredOf(metrics)
  const columns: Column<SliceRow>[] = [
    { title: 'Slice', wrap: true, cell: ({ slice }) => slice },
    { title: 'Rows', number: true, cell: ({ rows }) => count(rows) },
    ...names.flatMap((name): Column<SliceRow>[] => [
      {
        title: name,
        number: true,
        cell: (slice) => <MeasuredText measured={find(slice, name)} />,
      },
      ...(whole.some((one) => one.name === name)
        ? [
            {
              title: `${name} against the whole`,
              number: true,
              cell: (slice: SliceRow) => (
                <DifferenceText
                  difference={differenceOf(
                    name,
                    whole.find((one) => one.name === name),
                    find(slice, name),
                  )}
                />
              ),
            },
          ]
        : []),
    ]),
  ]
  return (
    <Panel>
      <Section
        title="Slices"
        aside={
          slices.length > 0 && (
            <Text size="sm" c="dimmed">
              the worst by {first} first
            </Text>
          )
        }
      >
        {slices.length === 0 ? (
          <Text size="sm" c="dimmed">
            The evaluation reported none.
          </Text>
        ) : (
          <DataTable label="Slices" columns={columns} rows={worst.slice(0, shown)} rowKey={({ slice }) => slice} />
        )}
        {slices.length > shown && (
          <Button variant="default" size="xs" mt="xs" onClick={() => setShown(slices.length)}>
            Show all {count(slices.length)}
          </Button>
        )}
      </Section>
    </Panel>
  )
}

const find = (slice: SliceRow, name: string) => measuredOf(slice.metrics, slice.rows).find((one) => one.name === name)
