import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { duration } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { State } from '../../../console/design/state.tsx'
import { type VirtualColumn, VirtualTable } from '../../../console/design/virtual-table.tsx'
import type { RunLine } from './arrange-runs.ts'
import { cellOf, columnText, nextOrder, type RunColumn } from './run-columns.ts'
import { statusTones } from './run-status.ts'
import styles from './runs-table.module.css'

interface RunsTableProps {
  lines: readonly RunLine[]
  /** Lines that there are, those that have not come yet included. */
  count: number
  columns: readonly RunColumn[]
  order: string
  onOrder: (order: string | undefined) => void
  chosen: ReadonlySet<string>
  /** No more may be chosen. */
  full: boolean
  onChoose: (run: string, on: boolean) => void
  onOpen: (run: string) => void
  onReach: (last: number) => void
}

/** The attributes that every run has, by what an address calls them. */
const sortedAs: Readonly<Record<string, string>> = { Run: 'name', Status: 'status', Started: 'started' }

/** Runs, one line each: what they were given and what they reached. */
export function RunsTable(props: RunsTableProps) {
  const { lines, count, columns, order, onOrder, chosen, full, onChoose, onOpen, onReach } = props
  const shown = useMemo((): VirtualColumn<RunLine>[] => {
    const sorted = (name: string) => {
      if (order.replace(/^-/, '') !== name) return 'none' as const
      return order.startsWith('-') ? ('descending' as const) : ('ascending' as const)
    }
    return [
      {
        key: 'choose',
        title: 'Choose to compare',
        heading: <span aria-hidden="true" />,
        width: 34,
        cell: ({ run: { run, name } }) => (
          <input
            type="checkbox"
            className={styles.choose}
            aria-label={`Compare ${name}`}
            checked={chosen.has(run)}
            disabled={full && !chosen.has(run)}
            onChange={(event) => onChoose(run, event.currentTarget.checked)}
          />
        ),
      },
      {
        key: 'Run',
        title: 'Run',
        width: 200,
        sorted: sorted('name'),
        cell: (line) => <RunName line={line} onOpen={onOpen} />,
      },
      {
        key: 'Status',
        title: 'Status',
        width: 116,
        sorted: sorted('status'),
        cell: ({ run: { status } }) => <State tone={statusTones[status]}>{status}</State>,
      },
      ...columns.map((column): VirtualColumn<RunLine> => {
        const name = columnText(column)
        return {
          key: name,
          title: name,
          width: Math.min(240, Math.max(110, 34 + name.length * 8)),
          number: column.field === 'metric',
          sorted: sorted(name),
          cell: ({ run }) => {
            const text = cellOf(run, column)
            return text === undefined ? '–' : <span title={text.length > 12 ? text : undefined}>{text}</span>
          },
        }
      }),
      {
        key: 'Took',
        title: 'Took',
        width: 90,
        number: true,
        cell: ({ run: { startedAt, endedAt } }) =>
          endedAt === null ? '–' : duration(Date.parse(endedAt) - Date.parse(startedAt)),
      },
      {
        key: 'Started',
        title: 'Started',
        width: 200,
        sorted: sorted('started'),
        cell: ({ run: { startedAt } }) => <Instant at={startedAt} />,
      },
    ]
  }, [columns, order, chosen, full, onChoose, onOpen])
  const sort = useCallback((key: string) => onOrder(nextOrder(order, sortedAs[key] ?? key)), [order, onOrder])
  return (
    <VirtualTable
      label="Runs"
      columns={shown}
      rows={lines}
      count={count}
      rowKey={({ run }) => run.run}
      onSort={sort}
      onReach={onReach}
      order={order}
    />
  )
}

function RunName({ line, onOpen }: { line: RunLine; onOpen: (run: string) => void }) {
  const { run, depth, children, opened, context } = line
  return (
    <span className={styles.name} style={{ paddingLeft: depth * 20 }} data-context={context || undefined}>
      {children > 0 && (
        <button
          type="button"
          className={styles.open}
          aria-expanded={opened}
          aria-label={`Runs within ${run.name}`}
          onClick={() => onOpen(run.run)}
        >
          {opened ? '▾' : '▸'}
        </button>
      )}
      <Anchor
        inherit
        fw={600}
        title={run.name}
        className={styles.link}
        renderRoot={(props) => <Link {...props} to="/tracking-runs/$run" params={{ run: run.run }} preload={false} />}
      >
        {run.name}
      </Anchor>
      {children > 0 && (
        <span className={styles.within} title="Runs within it">
          {children}
        </span>
      )}
    </span>
  )
}
