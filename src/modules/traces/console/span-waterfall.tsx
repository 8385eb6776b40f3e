import { VisuallyHidden } from '@mantine/core'
import { type KeyboardEvent, type MouseEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import { counted } from '../../../console/design/format.ts'
import { above, lengthOf, type Spans, type TreeRow, treeOf, visibleRows } from './span-tree.ts'
import styles from './span-waterfall.module.css'
import { nanoseconds } from './trace-state.ts'

const rowHeight = 28
const spareRows = 12
const deepestIndent = 24

/** The spans as a tree, each with its bar in time. Only the rows in sight are drawn: there may be tens of thousands. */
export function SpanWaterfall(props: { spans: Spans; selected: string | undefined; onSelect: (span: string) => void }) {
  const { spans, selected, onSelect } = props
  const tree = useMemo(() => treeOf(spans), [spans])
  const length = useMemo(() => lengthOf(spans), [spans])
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set())
  const rows = useMemo(() => visibleRows(tree, closed), [tree, closed])
  const frame = useRef<HTMLDivElement>(null)
  const [first, setFirst] = useState(0)
  const [shown, setShown] = useState(40)
  const id = useId()
  const at = rows.findIndex(({ index }) => spans.span[index] === selected)

  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const resized = new ResizeObserver(() => setShown(Math.ceil(element.clientHeight / rowHeight)))
    resized.observe(element)
    return () => resized.disconnect()
  }, [])

  // What the address names is opened and brought into sight.
  const brought = useRef<string | undefined>(undefined)
  useEffect(() => {
    if (selected === undefined || brought.current === selected) return
    const index = spans.span.indexOf(selected)
    const needed = index < 0 ? [] : above(spans, index)
    if (needed.some((one) => closed.has(one))) setClosed(without(closed, needed))
    else if (at >= 0) {
      brought.current = selected
      bringIntoSight(frame.current, at)
    }
  }, [selected, spans, closed, at])

  const toggle = (row: TreeRow, open: boolean) =>
    setClosed(open ? without(closed, [row.index]) : new Set([...closed, row.index]))
  const select = (position: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, position))]
    const span = row && spans.span[row.index]
    if (span !== undefined) onSelect(span)
  }
  const goLeft = (row: TreeRow) => {
    if (row.below > 0 && !closed.has(row.index)) toggle(row, false)
    else select(rows.findLastIndex((one, position) => position < at && one.depth < row.depth))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[at]
    const moves = new Map([
      ['ArrowDown', () => select(at + 1)],
      ['ArrowUp', () => select(at - 1)],
      ['PageDown', () => select(at + shown - 1)],
      ['PageUp', () => select(at - shown + 1)],
      ['Home', () => select(0)],
      ['End', () => select(rows.length - 1)],
      ['ArrowRight', () => (row !== undefined && closed.has(row.index) ? toggle(row, true) : select(at + 1))],
      ['ArrowLeft', () => row !== undefined && goLeft(row)],
    ])
    const move = moves.get(event.key)
    if (move === undefined) return
    event.preventDefault()
    move()
  }
  const onClick = ({ target }: MouseEvent) => {
    const item = target instanceof Element ? target.closest('[data-at]') : null
    const position = Number(item?.getAttribute('data-at') ?? -1)
    const row = rows[position]
    if (row === undefined || !(target instanceof Element)) return
    if (row.below > 0 && target.closest('[data-toggle]') !== null) toggle(row, closed.has(row.index))
    else select(position)
  }

  const from = Math.max(0, first - spareRows)
  const drawn = rows.slice(from, first + shown + spareRows)
  return (
    <div
      ref={frame}
      className={`${styles.frame} ${rows.length < 20 ? styles.fitting : ''}`}
      role="tree"
      aria-label={`${counted(spans.span.length, 'span')}`}
      aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onScroll={(event) => setFirst(Math.floor(event.currentTarget.scrollTop / rowHeight))}
    >
      <div className={styles.rows} style={{ height: rows.length * rowHeight }}>
        {drawn.map((row, position) => (
          <Row
            key={spans.span[row.index]}
            id={`${id}-${from + position}`}
            spans={spans}
            row={row}
            at={from + position}
            length={length}
            selected={from + position === at}
            open={!closed.has(row.index)}
          />
        ))}
      </div>
    </div>
  )
}

function Row(props: {
  id: string
  spans: Spans
  row: TreeRow
  at: number
  length: number
  selected: boolean
  open: boolean
}) {
  const { id, spans, row, at, length, selected, open } = props
  const { index, depth, below } = row
  const [name = '', type = '', status] = [spans.name[index], spans.type[index], spans.status[index]]
  const offset = spans.offset[index] ?? 0
  const duration = spans.duration[index] ?? null
  const failed = status === 'error'
  return (
    // The tree has the focus, and moves the selection by keys.
    <div
      id={id}
      className={[styles.row, failed && styles.failed, duration === null && styles.running].filter(Boolean).join(' ')}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-selected={selected}
      aria-expanded={below > 0 ? open : undefined}
      data-at={at}
      style={{ top: at * rowHeight }}
    >
      <div className={styles.name} style={{ marginLeft: Math.min(depth, deepestIndent) * 14 }}>
        <span className={styles.toggle} data-toggle="" aria-hidden="true">
          {below === 0 ? '' : open ? '▾' : '▸'}
        </span>
        {type !== 'UNKNOWN' && type !== '' && (
          <span className={styles.kind}>{type.toLowerCase().replaceAll('_', ' ')}</span>
        )}
        <span className={styles.text} title={name}>
          {name || '(no name)'}
        </span>
        {failed && <VisuallyHidden>failed</VisuallyHidden>}
      </div>
      <div className={styles.lane}>
        <div
          className={styles.bar}
          style={{
            left: `${Math.min(99.5, (offset / length) * 100)}%`,
            width: `${((duration ?? length - offset) / length) * 100}%`,
          }}
        />
      </div>
      <span className={styles.took}>{duration === null ? 'running' : nanoseconds(duration)}</span>
    </div>
  )
}

function without(closed: ReadonlySet<number>, opened: readonly number[]): ReadonlySet<number> {
  const left = new Set(closed)
  for (const one of opened) left.delete(one)
  return left
}

function bringIntoSight(frame: HTMLElement | null, at: number): void {
  if (frame === null) return
  const top = at * rowHeight
  if (top < frame.scrollTop) frame.scrollTop = top
  else if (top + rowHeight > frame.scrollTop + frame.clientHeight)
    frame.scrollTop = top + rowHeight - frame.clientHeight
}
