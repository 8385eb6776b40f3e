import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import styles from './virtual-table.module.css'

export interface VirtualColumn<Row> {
  key: string
  title: string
  /** In place of the title, for whoever sees it. */
  heading?: ReactNode
  /** Pixels; what is over is shared out in proportion. */
  width: number
  number?: boolean
  /** Which way the rows are ordered by it. Absent where nobody can order by it. */
  sorted?: 'ascending' | 'descending' | 'none'
  cell: (row: Row) => ReactNode
}

interface VirtualTableProps<Row> {
  label: string
  /** The same list from one time to the next unless a column has changed: a row is drawn anew only for another list. */
  columns: readonly VirtualColumn<Row>[]
  rows: readonly Row[]
  /** Rows that there are, those that have not come yet included. */
  count: number
  rowKey: (row: Row) => string
  onSort?: (key: string) => void
  /** Told how far down one looks. */
  onReach: (last: number) => void
  /** Another one leads back to the top. */
  order: string
}

const rowHeight = 34
/** Rows are brought and taken away this many at a time, so that most steps of scrolling change nothing in the page. */
const step = 10
const ahead = 20

/** Any number of rows of one height, of which only those in view are in the page. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, count, rowKey, onSort, onReach, order } = props
  const frame = useRef<HTMLElement>(null)
  const [first, setFirst] = useState(0)
  const [visible, setVisible] = useState(30)
  useEffect(() => {
    const element = frame.current
    if (element === null) return
    // What scrolls can be reached by keyboard.
    element.tabIndex = 0
    const resized = new ResizeObserver(() => setVisible(Math.ceil(element.clientHeight / rowHeight) + 1))
    resized.observe(element)
    return () => resized.disconnect()
  }, [])
  const orderShown = useRef(order)
  useEffect(() => {
    if (order === orderShown.current) return
    orderShown.current = order
    frame.current?.scrollTo({ top: 0 })
  }, [order])
  const begin = Math.max(0, Math.min(first, count - visible) - ahead)
  const end = Math.min(count, first + visible + step + ahead)
  useEffect(() => onReach(end), [onReach, end])
  const shown = Array.from({ length: Math.max(0, end - begin) }, (_, index) => begin + index)
  const width = columns.reduce((sum, column) => sum + column.width, 0)
  return (
    <section
      ref={frame}
      className={styles.frame}
      aria-label={`${label}, to scroll`}
      onScroll={({ currentTarget }) => setFirst(Math.floor(currentTarget.scrollTop / rowHeight / step) * step)}
    >
      <table className={styles.table} aria-label={label} aria-rowcount={count + 1} style={{ minWidth: width }}>
        <colgroup>
          {columns.map((column) => (
            <col key={column.key} style={{ width: column.width }} />
          ))}
        </colgroup>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Heading key={column.key} column={column} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap height={begin * rowHeight} />
          {shown.map((index) => {
            const row = rows[index]
            return row === undefined ? (
              <tr key={`#${index}`} aria-rowindex={index + 2} className={styles.coming}>
                <td colSpan={columns.length}>…</td>
              </tr>
            ) : (
              <ShownRow key={rowKey(row)} row={row} index={index} columns={columns} />
            )
          })}
          <Gap height={(count - end) * rowHeight} />
        </tbody>
      </table>
    </section>
  )
}

interface HeadingProps<Row> {
  column: VirtualColumn<Row>
  onSort: ((key: string) => void) | undefined
}

function Heading<Row>({ column: { key, title, heading, number, sorted }, onSort }: HeadingProps<Row>) {
  return (
    <th className={number ? styles.number : undefined} aria-sort={sorted} title={title}>
      {sorted === undefined || onSort === undefined ? (
        (heading ?? title)
      ) : (
        <button type="button" onClick={() => onSort(key)}>
          <span>{title}</span>
          <span aria-hidden="true">{sorted === 'none' ? '' : sorted === 'ascending' ? ' ↑' : ' ↓'}</span>
        </button>
      )}
    </th>
  )
}

interface ShownRowProps<Row> {
  row: Row
  index: number
  columns: readonly VirtualColumn<Row>[]
}

function ShownRow<Row>({ row, index, columns }: ShownRowProps<Row>) {
  return useMemo(
    () => (
      <tr aria-rowindex={index + 2}>
        {columns.map((column) => (
          <td key={column.key} className={column.number ? styles.number : undefined}>
            {column.cell(row)}
          </td>
        ))}
      </tr>
    ),
    [row, index, columns],
  )
}

function Gap({ height }: { height: number }) {
  return height <= 0 ? null : (
    <tr className={styles.gap}>
      <td style={{ height }} />
    </tr>
  )
}
