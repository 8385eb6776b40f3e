import { Button, Group, MultiSelect, Text } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { z } from 'zod'
import { counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import type { TrackingRun } from '../contract.ts'
import { ColumnSelect, chosenColumn } from './column-select.tsx'
import { mostCompared } from './compared-runs.ts'
import { ParallelPicture } from './parallel-picture.tsx'
import { axisOf, brushesOf, brushesText, isMarked, varyingColumns } from './run-axes.ts'
import { columnsOf, columnText } from './run-columns.ts'

const PageState = z.object({
  axes: z.string().optional().catch(undefined),
  brush: z.string().catch(''),
  colour: z.string().optional().catch(undefined),
  compare: z.string().optional().catch(undefined),
})

const mostAxes = 12

/** Every run as a line through its params and metrics; marking parts of the axes leaves those that go through them. */
export function CompareParallel({ runs }: { runs: readonly TrackingRun[] }) {
  const [state, change] = usePageState(PageState)
  const navigate = useNavigate()
  const open = useCallback((run: string) => void navigate({ to: '/tracking-runs/$run', params: { run } }), [navigate])
  const columns = useMemo(() => varyingColumns(runs), [runs])
  const params = columns.filter(({ field }) => field === 'param')
  const metrics = columns.filter(({ field }) => field === 'metric')
  const usual = [...params.slice(0, 5), ...metrics.slice(0, 2)]
  const chosen = state.axes === undefined ? usual : columnsOf(state.axes).slice(0, mostAxes)
  const colour = chosenColumn(state.colour, columns, metrics[0])
  const axes = chosen.flatMap((column) => axisOf(runs, column) ?? [])
  const brushes = brushesOf(state.brush)
  const marked = runs.filter((run) => isMarked(run, axes, brushes))
  return (
    <Panel>
      <Section title="Parallel coordinates">
        <Group gap="sm" align="flex-end" mb="sm">
          <MultiSelect
            size="xs"
            label="Axes"
            searchable
            maxValues={mostAxes}
            style={{ flex: '1 1 20rem' }}
            data={columns.map(columnText)}
            value={axes.map((axis) => axis.name)}
            onChange={(names) => change({ axes: names.join(',') })}
          />
          <ColumnSelect label="Colour" columns={columns} value={colour} onChange={(name) => change({ colour: name })} />
        </Group>
        {axes.length === 0 ? (
          <Text size="sm">No param and no metric differs between these runs.</Text>
        ) : (
          <ParallelPicture
            runs={runs}
            axes={axes}
            colour={colour && axisOf(runs, colour)}
            brushes={brushes}
            onBrush={(name, range) => {
              const rest = [...brushes].filter(([other]) => other !== name)
              const next = range === undefined ? rest : [...rest, [name, range] as const]
              change({ brush: brushesText(new Map(next)) || undefined })
            }}
            onOpen={open}
          />
        )}
        <Group justify="space-between" gap="xs" mt="xs">
          <Text size="sm" c="dimmed" role="status">
            {brushes.size === 0
              ? 'Drag along an axis to mark a part of it.'
              : `${counted(marked.length, 'run')} of ${runs.length} within what is marked.`}
          </Text>
          {brushes.size > 0 && (
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={() => change({ brush: undefined })}>
                Unmark
              </Button>
              {marked.length > 1 && marked.length <= mostCompared && (
                <Button
                  size="xs"
                  onClick={() =>
                    change({ compare: marked.map(({ run }) => run).join(','), brush: undefined }, { push: true })
                  }
                >
                  Go on with these {marked.length}
                </Button>
              )}
            </Group>
          )}
        </Group>
      </Section>
    </Panel>
  )
}
