import { Checkbox, Group, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { z } from 'zod'
import { Chart } from '../../../console/design/chart.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import type { TrackingRun } from '../contract.ts'
import { ColumnSelect, chosenColumn } from './column-select.tsx'
import { unitOf, varyingColumns } from './run-axes.ts'
import { cellOf, columnText, metricText, type RunColumn } from './run-columns.ts'

const PageState = z.object({
  x: z.string().optional().catch(undefined),
  y: z.string().optional().catch(undefined),
  colour: z.string().optional().catch(undefined),
  xlog: z.boolean().optional().catch(undefined),
  ylog: z.boolean().optional().catch(undefined),
})

/** Each run as a point between two of its params or metrics. */
export function CompareScatter({ runs }: { runs: readonly TrackingRun[] }) {
  const [state, change] = usePageState(PageState)
  const navigate = useNavigate()
  const columns = useMemo(() => varyingColumns(runs), [runs])
  const metrics = columns.filter(({ field }) => field === 'metric')
  const x = chosenColumn(state.x, columns, columns[0])
  const y = chosenColumn(state.y, columns, metrics.find((column) => column !== x) ?? columns[1])
  const colour = chosenColumn(state.colour, columns)
  const { xlog = false, ylog = false } = state
  const drawn = useMemo(
    () => (x === undefined || y === undefined ? undefined : pictureOf(runs, { x, y, colour, xlog, ylog })),
    [runs, x, y, colour, xlog, ylog],
  )
  const open = useCallback(
    ({ dataIndex }: { dataIndex: number }) => {
      const run = drawn?.points[dataIndex]?.run
      if (run !== undefined) void navigate({ to: '/tracking-runs/$run', params: { run } })
    },
    [drawn, navigate],
  )
  return (
    <Panel>
      <Section title="Scatter">
        {x === undefined || y === undefined || drawn === undefined ? (
          <Text size="sm">Fewer than two params or metrics differ between these runs.</Text>
        ) : (
          <>
            <Group gap="sm" align="flex-end" mb="sm">
              <ColumnSelect label="Across" columns={columns} value={x} onChange={(name) => change({ x: name })} />
              <Checkbox
                size="xs"
                mb={8}
                label="log"
                aria-label="Across by magnitude"
                checked={xlog}
                onChange={(event) => change({ xlog: event.currentTarget.checked || undefined })}
              />
              <ColumnSelect label="Up" columns={columns} value={y} onChange={(name) => change({ y: name })} />
              <Checkbox
                size="xs"
                mb={8}
                label="log"
                aria-label="Up by magnitude"
                checked={ylog}
                onChange={(event) => change({ ylog: event.currentTarget.checked || undefined })}
              />
              <ColumnSelect
                label="Colour"
                columns={columns}
                value={colour}
                clearable
                onChange={(name) => change({ colour: name })}
              />
            </Group>
            <Chart
              height={420}
              label={`${columnText(y)} over ${columnText(x)} of ${drawn.points.length} runs`}
              option={drawn.option}
              onPoint={open}
            />
            {drawn.points.length < runs.length && (
              <Text size="sm" c="dimmed">
                {runs.length - drawn.points.length} of {runs.length} runs have no place in it.
              </Text>
            )}
          </>
        )}
      </Section>
    </Panel>
  )
}

interface Scatter {
  x: RunColumn
  y: RunColumn
  colour: RunColumn | undefined
  xlog: boolean
  ylog: boolean
}

function pictureOf(runs: readonly TrackingRun[], { x, y, colour, xlog, ylog }: Scatter) {
  const [xAxis, yAxis] = [axisFor(runs, x, xlog), axisFor(runs, y, ylog)]
  const tone = colour === undefined ? undefined : axisFor(runs, colour, false)
  const points = runs.flatMap((run) => {
    const [across, up] = [xAxis.valueOf(run), yAxis.valueOf(run)]
    return across === undefined || up === undefined ? [] : [{ ...run, at: [across, up, tone?.valueOf(run) ?? '–'] }]
  })
  const option = {
    grid: { left: 16, right: tone === undefined ? 24 : 90, top: 24, bottom: 34, containLabel: true },
    xAxis: { ...xAxis.option, name: columnText(x), nameLocation: 'middle', nameGap: 28 },
    yAxis: { ...yAxis.option, name: columnText(y), nameTextStyle: { align: 'left' } },
    // Names of runs are drawn as text: they may hold anything.
    tooltip: {
      trigger: 'item',
      renderMode: 'richText',
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const point = points[dataIndex]
        if (point === undefined) return ''
        return [
          point.name,
          ...[x, y, ...(colour ? [colour] : [])].map((one) => `${columnText(one)}: ${cellOf(point, one) ?? '–'}`),
        ].join('\n')
      },
    },
    ...(tone !== undefined && { visualMap: legendOf(points, tone.texts) }),
    series: [{ type: 'scatter', symbolSize: 9, itemStyle: { opacity: 0.8 }, data: points.map(({ at }) => at) }],
  }
  return { option, points }
}

/** Numbers on a scale, texts side by side; a scale of magnitudes has no place for zero and less. */
function axisFor(runs: readonly TrackingRun[], column: RunColumn, log: boolean) {
  const texts = [...new Set(runs.flatMap((run) => cellOf(run, column) ?? []))]
  const numeric = column.field === 'metric' || texts.every((text) => unitTextIsNumber(text))
  if (!numeric) {
    const ordered = texts.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    return {
      texts: ordered,
      option: { type: 'category', data: ordered },
      valueOf: (run: TrackingRun) => cellOf(run, column),
    }
  }
  return {
    texts: undefined,
    option: { type: log ? 'log' : 'value', scale: true },
    valueOf: (run: TrackingRun) => {
      const unit = unitOf(run, column)
      return log && (unit ?? 1) <= 0 ? undefined : unit
    },
  }
}

const unitTextIsNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))

function legendOf(points: readonly { at: (string | number)[] }[], texts: readonly string[] | undefined) {
  const place = { dimension: 2, right: 0, top: 'middle', itemWidth: 12 }
  const colours = ['#3b62c4', '#8a93a1', '#d9860b']
  if (texts !== undefined) {
    return {
      ...place,
      type: 'piecewise',
      categories: texts.slice(0, 12),
      inRange: { color: [...colours, '#1a7a42', '#c92a2a'] },
    }
  }
  const numbers = points.flatMap(({ at }) => (typeof at[2] === 'number' ? [at[2]] : []))
  const range = { min: Math.min(...numbers), max: Math.max(...numbers) }
  return {
    ...place,
    ...range,
    text: [metricText(range.max), metricText(range.min)],
    precision: 3,
    inRange: { color: colours },
    outOfRange: { color: ['#8a93a1'] },
  }
}
