import { Text } from '@mantine/core'
import { type Difference, differenceText } from './metric-view.ts'

const tones = { better: 'var(--good)', worse: 'var(--bad)', unclear: undefined, unknown: undefined } as const

/** How far a metric is from another, and whether that says anything: `+0.0212 better  +0.0170 – +0.0254`. */
export function DifferenceText({ difference }: { difference: Difference | undefined }) {
  if (difference === undefined) return '–'
  const { by, interval, verdict } = difference
  return (
    <span style={{ whiteSpace: 'nowrap' }}>
      <span style={{ color: tones[verdict] }}>
        {differenceText(by)}
        {verdict !== 'unknown' && verdict !== 'unclear' && ` ${verdict}`}
        {verdict === 'unclear' && by !== 0 && ' unclear'}
      </span>
      {interval !== null && (
        <Text span size="xs" c="dimmed" ml={6} title="95 % confidence interval of the difference">
          {differenceText(interval.low)} – {differenceText(interval.high)}
        </Text>
      )}
    </span>
  )
}
