import { useComputedColorScheme } from '@mantine/core'
import { BarChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts'
import {
  AriaComponent,
  DataZoomInsideComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'react'

use([
  BarChart,
  HeatmapChart,
  LineChart,
  ScatterChart,
  AriaComponent,
  DataZoomInsideComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
  SVGRenderer,
])

export interface ChartProps {
  /** What a reader who cannot see the picture is told: what is drawn, and its message. */
  label: string
  /** As ECharts takes it, less the colours and fonts, which are the page's. */
  option: EChartsCoreOption
  /** Pixels. */
  height?: number
  /** Called with the point that was clicked. */
  onPoint?: (point: { seriesName: string | undefined; dataIndex: number; name: string }) => void
}

export function ChartCanvas({ label, option, height = 240, onPoint }: ChartProps) {
  const element = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme('light')
  useEffect(() => {
    if (element.current === null) return
    const chart = init(element.current, themeOf(element.current, scheme), { renderer: 'svg' })
    chart.setOption({ animation: false, ...defaults, ...option })
    chart.on('click', ({ seriesName, dataIndex, name }) => onPoint?.({ seriesName, dataIndex, name }))
    const resized = new ResizeObserver(() => chart.resize())
    resized.observe(element.current)
    return () => {
      resized.disconnect()
      chart.dispose()
    }
  }, [option, onPoint, scheme])
  return <div ref={element} role="img" aria-label={label} style={{ height, width: '100%' }} />
}

const defaults = {
  grid: { left: 8, right: 16, top: 28, bottom: 8, containLabel: true },
  tooltip: { trigger: 'axis', confine: true },
}

/** The colours and fonts of the page, as ECharts takes them. */
function themeOf(element: Element, scheme: 'light' | 'dark') {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  const text = { color: colour('--mantine-color-dimmed') }
  const line = { lineStyle: { color: colour('--line') } }
  const axis = { axisLabel: text, nameTextStyle: text, axisLine: line, splitLine: line }
  return {
    darkMode: scheme === 'dark',
    backgroundColor: 'transparent',
    textStyle: { fontFamily: style.fontFamily, ...text },
    color: ['--primary-traffic', '--canary-traffic', '--good', '--bad', '--shadow-traffic'].map(colour),
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: axis,
    timeAxis: { ...axis, splitLine: { show: false } },
    logAxis: axis,
    visualMap: { textStyle: text },
    legend: { top: 0, right: 0, icon: 'roundRect', textStyle: text },
    tooltip: {
      backgroundColor: colour('--surface'),
      borderColor: colour('--line'),
      textStyle: { color: colour('--mantine-color-text') },
    },
  }
}
