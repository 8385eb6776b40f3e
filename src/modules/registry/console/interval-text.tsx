import { Text } from '@mantine/core'
import { type Measured, metricText } from './metric-view.ts'

/** A metric with its interval, in one line: `0.7579  0.7549 – 0.7609`. */
export function MeasuredText({ measured }: { measured: Measured | undefined }) {
  if (measured === undefined) return '–'
  const { value, interval } = measured
  return (
    <>
      {metricText(value)}
      {interval !== null && (
        <Text
          span
          size="xs"
          c="dimmed"
          ml={6}
          style={{ whiteSpace: 'nowrap' }}
          title={`95 % confidence interval, ${interval.source}`}
        >
          {metricText(interval.low)} – {metricText(interval.high)}
        </Text>
      )}
    </>
  )
}
