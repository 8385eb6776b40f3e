import { Group, SegmentedControl, Select, Slider, Switch, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { z } from 'zod'
import { read } from '../../../console/api.ts'
import { Chart } from '../../../console/design/chart.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { sampleMetric, type TrackingRun } from '../contract.ts'
import { type CurveAxis, curveAlong, positive, smoothed } from './curve-view.ts'

const PageState = z.object({
  metric: z.string().max(250).optional().catch(undefined),
  smooth: z.number().min(0).max(0.99).catch(0),
  along: z.enum(['step', 'relative', 'wall']).catch('step'),
  ylog: z.boolean().optional().catch(undefined),
})

/** More than a chart of this width can show. */
const mostPoints = 1000
/** There are as many colours. */
const colours = 5

const axes: Readonly<Record<CurveAxis, { title: string; option: Record<string, unknown> }>> = {
  step: { title: 'Step', option: { type: 'value', name: 'step', minInterval: 1 } },
  relative: { title: 'Seconds', option: { type: 'value', name: 'seconds since its first point' } },
  wall: { title: 'Clock', option: { type: 'time', name: 'time' } },
}

/** One metric of a few runs: raw and faint, smoothed and plain. */
export function CompareCurves({ runs }: { runs: readonly TrackingRun[] }) {
  const [{ metric: chosen, smooth, along, ylog = false }, change] = usePageState(PageState)
  const keys = useMemo(() => [...new Set(runs.flatMap(({ metrics }) => metrics.map(({ key }) => key)))].sort(), [runs])
  const metric = chosen !== undefined && keys.includes(chosen) ? chosen : keys[0]
  const { data: sampled } = useQuery({
    ...read(
      sampleMetric,
      {
        runs: runs.map(({ run }) => run),
        key: metric ?? '',
        points: mostPoints,
        axis: along === 'step' ? 'step' : 'time',
      },
      ['run', 'tracking-run'],
    ),
    enabled: metric !== undefined && runs.length > 0,
  })
  const series = useMemo(() => {
    const pointsOf = new Map(sampled?.series.map(({ run, points }) => [run, points]))
    return runs.map(({ run, name }) => ({ run, name, points: pointsOf.get(run) ?? [] }))
  }, [runs, sampled])
  const option = useMemo(() => {
    const names = series.map(({ name }, index) =>
      // Two runs may have one name, which a legend would show as one.
      series.some((other, at) => at < index && other.name === name) ? `${name} (${index + 1})` : name,
    )
    const curves = series.map(({ points }) => {
      const curve = curveAlong(points, along)
      return ylog ? positive(curve) : curve
    })
    return {
      legend: { type: 'scroll', left: 0, right: 0, data: names },
      tooltip: { show: false },
      grid: { left: 8, right: 16, top: 36, bottom: 24, containLabel: true },
      xAxis: { ...axes[along].option, nameLocation: 'middle', nameGap: 24 },
      yAxis: { type: ylog ? 'log' : 'value', scale: true },
      dataZoom: [{ type: 'inside' }],
      series: curves.flatMap((curve, index) => {
        const line = {
          name: names[index],
          type: 'line',
          colorBy: 'series',
          showSymbol: curve.length < 2,
          lineStyle: { type: index < colours ? 'solid' : 'dashed' },
        }
        if (smooth === 0) return [{ ...line, data: curve }]
        const faint = { ...line.lineStyle, opacity: 0.25 }
        return [
          { ...line, data: smoothed(curve, smooth) },
          { ...line, data: curve, lineStyle: faint, silent: true },
        ]
      }),
    }
  }, [series, along, ylog, smooth])
  return (
    <Panel>
      <Section
        title="Curves"
        aside={
          <Select
            aria-label="Metric"
            size="xs"
            searchable
            allowDeselect={false}
            data={keys}
            value={metric ?? null}
            onChange={(key) => change({ metric: key ?? undefined })}
          />
        }
      >
        <Group gap="lg" mb="sm" align="center">
          <SegmentedControl
            size="xs"
            aria-label="Along"
            data={Object.entries(axes).map(([value, { title }]) => ({ value, label: title }))}
            value={along}
            onChange={(value) => change({ along: value === 'step' ? undefined : PageState.shape.along.parse(value) })}
          />
          <Smoothing value={smooth} onChange={(factor) => change({ smooth: factor === 0 ? undefined : factor })} />
          <Switch
            size="xs"
            label="Log scale"
            checked={ylog}
            onChange={(event) => change({ ylog: event.currentTarget.checked || undefined })}
          />
        </Group>
        {metric === undefined ? (
          <Text size="sm" c="dimmed">
            None of the runs logged a metric.
          </Text>
        ) : (
          <Chart
            height={360}
            label={`${metric} by ${along === 'step' ? 'step' : 'time'} of ${series.map(({ name, points: of }) => `${name}, at last ${of.at(-1)?.value ?? 'unknown'}`).join('; ')}`}
            option={option}
          />
        )}
        {sampled?.series.some(({ total, points }) => total > points.length) && (
          <Text size="xs" c="dimmed">
            Thinned out to {mostPoints.toLocaleString('en')} points of each run; peaks and gaps are kept
            {smooth > 0 && ', and what is smoothed are these points'}.
          </Text>
        )}
      </Section>
    </Panel>
  )
}

/** The picture is drawn anew when the handle is let go. */
function Smoothing({ value, onChange }: { value: number; onChange: (factor: number) => void }) {
  const [held, setHeld] = useState<number>()
  return (
    <Group gap="xs">
      <Text size="xs">Smoothing {(held ?? value).toFixed(2)}</Text>
      <Slider
        w={140}
        size="sm"
        min={0}
        max={0.99}
        step={0.01}
        label={null}
        thumbLabel="Smoothing"
        value={held ?? value}
        onChange={setHeld}
        onChangeEnd={(factor) => {
          setHeld(undefined)
          onChange(factor)
        }}
      />
    </Group>
  )
}
