import { Text } from '@mantine/core'
import { useMemo } from 'react'
import { Chart } from '../../../console/design/chart.tsx'
import { count, percent } from '../../../console/design/format.ts'
import type { ColumnProfile } from '../contract.ts'
import { columnNumbers, describeColumn } from './dataset-view.ts'
import styles from './datasets.module.css'

export interface Pictured {
  /** `flights@2`. */
  name: string
  rows: number
  column: ColumnProfile
}

/** How one column is spread, in one version or in two on top of each other. */
export function ColumnPicture({ of }: { of: readonly Pictured[] }) {
  const [first] = of
  if (first === undefined) return null
  const { name, type } = first.column
  return (
    <div style={{ minWidth: 0 }}>
      <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
        {name}{' '}
        <Text span size="xs" c="dimmed" fw={400}>
          {type}
        </Text>
      </Text>
      {first.column.top !== null ? <TopValues of={of} /> : <Histogram of={of} />}
      {of.map(({ name: version, rows, column }) => (
        <Text key={version} size="xs" c="dimmed">
          {of.length > 1 && `${version}: `}
          {columnNumbers(column, rows).join(', ')}
        </Text>
      ))}
    </div>
  )
}

function Histogram({ of }: { of: readonly Pictured[] }) {
  const option = useMemo(() => {
    const drawn = of.filter(({ column }) => column.histogram !== null)
    return {
      tooltip: { show: false },
      legend: { show: drawn.length > 1, left: 0 },
      grid: { left: 4, right: 8, top: drawn.length > 1 ? 28 : 6, bottom: 4, containLabel: true },
      xAxis: {
        type: of[0]?.column.type === 'timestamp' ? 'time' : 'value',
        scale: true,
        splitLine: { show: false },
        axisLabel: { hideOverlap: true },
        splitNumber: 4,
      },
      yAxis: { type: 'value', show: false },
      series: drawn.map(({ name, column }) => ({
        name,
        type: 'line',
        step: 'end',
        symbol: 'none',
        lineStyle: { width: 1.5 },
        areaStyle: { opacity: drawn.length > 1 ? 0.08 : 0.25 },
        data: stepsOf(column),
      })),
    }
  }, [of])
  if (of.every(({ column }) => column.histogram === null)) {
    return (
      <Text size="sm" c="dimmed">
        Nothing to draw: no values, only one, or a version that was made before pictures were.
      </Text>
    )
  }
  return (
    <Chart height={130} label={of.map(({ column, rows }) => describeColumn(column, rows)).join('; ')} option={option} />
  )
}

/** Shares of the rows; the outermost bins are drawn as wide as the others, though outliers lie far beyond. */
function stepsOf({ histogram }: ColumnProfile): [number, number][] {
  const { edges = [], counts = [] } = histogram ?? {}
  const [first, second] = edges
  if (first === undefined || second === undefined) return []
  const width = second - first
  const total = counts.reduce((sum, one) => sum + one, 0)
  const steps = counts.map((rows, bin): [number, number] => [first + (bin - 1) * width, rows / Math.max(1, total)])
  return [...steps, [first + edges.length * width, steps.at(-1)?.[1] ?? 0]]
}

function TopValues({ of }: { of: readonly Pictured[] }) {
  const [first, other] = of
  const values = first?.column.top ?? []
  const most = Math.max(1, ...values.map(({ rows }) => rows))
  return (
    <table className={styles.top} aria-label={`Most frequent values of ${first?.column.name}`}>
      <tbody>
        {values.slice(0, 6).map(({ value, rows }) => {
          const before = other?.column.top?.find((one) => one.value === value)
          return (
            <tr key={value}>
              <th scope="row">{value === '' ? '(empty)' : value}</th>
              <td>
                <div className={styles.bar} style={{ width: `${(rows / most) * 100}%` }} />
              </td>
              <td title={`${count(rows)} rows`}>{percent(rows / Math.max(1, first?.rows ?? 0))}</td>
              {other !== undefined && (
                <td className={styles.before} title={`in ${other.name}`}>
                  {before === undefined ? '' : percent(before.rows / Math.max(1, other.rows))}
                </td>
              )}
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
