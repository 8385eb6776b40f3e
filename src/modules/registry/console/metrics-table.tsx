import { Text } from '@mantine/core'
import { DataTable } from '../../../console/design/data-table.tsx'
import { count } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import type { Version } from '../contract.ts'
import { DifferenceText } from './difference-text.tsx'
import { MeasuredText } from './interval-text.tsx'
import { differenceOf, measuredOf, rowsOf } from './metric-view.ts'

/** What the evaluation measured, beside the baseline that the version must beat. */
export function MetricsTable({ version: { metrics, baseline } }: { version: Version }) {
  const rows = rowsOf(metrics)
  const measured = measuredOf(metrics)
  const baselines = baseline === null ? [] : measuredOf(baseline.metrics, rowsOf(baseline.metrics) ?? rows)
  return (
    <Panel>
      <Section
        title="Metrics"
        aside={
          rows !== null && (
            <Text size="sm" c="dimmed">
              on {count(rows)} rows
            </Text>
          )
        }
      >
        {measured.length === 0 ? (
          <Text size="sm" c="dimmed">
            None were reported with the version.
          </Text>
        ) : (
          <>
            <DataTable
              label="Metrics"
              rows={measured}
              rowKey={({ name }) => name}
              columns={[
                { title: 'Metric', cell: ({ name }) => name },
                { title: 'Value, 95 % interval', number: true, cell: (one) => <MeasuredText measured={one} /> },
                ...(baseline === null
                  ? []
                  : [
                      {
                        title: 'Baseline',
                        number: true,
                        cell: (one: (typeof measured)[number]) => (
                          <MeasuredText measured={baselines.find(({ name }) => name === one.name)} />
                        ),
                      },
                      {
                        title: 'Against the baseline',
                        number: true,
                        cell: (one: (typeof measured)[number]) => (
                          <DifferenceText
                            difference={differenceOf(
                              one.name,
                              baselines.find(({ name }) => name === one.name),
                              one,
                            )}
                          />
                        ),
                      },
                    ]),
              ]}
            />
            <Text size="xs" c="dimmed" mt="xs">
              {baseline !== null && `The baseline is: ${baseline.name}. `}
              {measured.some(({ interval }) => interval === null) &&
                `No interval is known of ${measured
                  .filter(({ interval }) => interval === null)
                  .map(({ name }) => name)
                  .join(', ')}: the evaluation would have to report it as …_low and …_high.`}
            </Text>
          </>
        )}
      </Section>
    </Panel>
  )
}
