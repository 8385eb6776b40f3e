import { Button, Group, Skeleton, Text } from '@mantine/core'
import { type InfiniteData, useInfiniteQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef } from 'react'
import type { z } from 'zod'
import type { AnswerOf, Operation } from '../../platform/operation.ts'
import { client } from '../api.ts'
import { counted } from './format.ts'
import { Problem } from './problem.tsx'
import tables from './tables.module.css'

export interface Column<Row> {
  title: string
  /** Numbers stand at the right, with their unit in the cell or the title. */
  number?: boolean
  /** May take several lines. */
  wrap?: boolean
  cell: (row: Row) => ReactNode
}

/** Rows that are all here. On a phone each becomes a small block of its own. */
export function DataTable<Row>(props: {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  rowKey: (row: Row, index: number) => string
}) {
  const { label, columns, rows, rowKey } = props
  const frame = useKeyboardScrolling()
  return (
    <div ref={frame} className={tables.scroll}>
      <table className={`${tables.table} ${tables.stacking}`} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} className={column.number ? tables.number : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={rowKey(row, index)}>
              {columns.map((column) => (
                <td key={column.title} data-title={column.title} className={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** A frame that is narrower than what it holds can be reached, and so scrolled, by keyboard. */
function useKeyboardScrolling() {
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const resized = new ResizeObserver(() => {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0
      else element.removeAttribute('tabindex')
    })
    resized.observe(element)
    if (element.firstElementChild !== null) resized.observe(element.firstElementChild)
    return () => resized.disconnect()
  }, [])
  return frame
}

const cellClass = (column: { number?: boolean; wrap?: boolean }) =>
  [column.number && tables.number, column.wrap && tables.wrapping].filter(Boolean).join(' ') || undefined

type Page<Row> = { items: Row[]; nextCursor: string | null }
type ListOperation = Operation<z.ZodObject, z.ZodType<Page<unknown>>>
type RowOf<Op extends ListOperation> = AnswerOf<Op>['items'][number]

interface ListProps<Op extends ListOperation> {
  label: string
  operation: Op
  /** The input of the page after a cursor; the first without one. */
  input: (cursor: string | undefined) => z.input<Op['input']>
  /** Kinds of ledger subjects after whose change the list is read again. */
  about: readonly string[]
  /** What one row is: `model`. */
  noun: string
  columns: readonly Column<RowOf<Op>>[]
  rowKey: (row: RowOf<Op>, index: number) => string
  /** In place of an empty table. */
  empty: ReactNode
}

/** The rows of a listing operation, page by page. */
export function OperationTable<Op extends ListOperation>(props: ListProps<Op>) {
  const { label, operation, input, about, noun, columns, rowKey, empty } = props
  const list = useInfiniteQuery<AnswerOf<Op>, Error, InfiniteData<AnswerOf<Op>>, unknown[], string | undefined>({
    queryKey: [operation.name, 'pages', input(undefined)],
    queryFn: ({ signal, pageParam }) => client.call(operation, input(pageParam), { signal }),
    initialPageParam: undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    meta: { about },
  })
  if (list.error !== null && list.data === undefined) return <Problem error={list.error} />
  if (list.data === undefined) return <Skeleton height={240} radius="lg" aria-label={`Loading ${label}`} />
  const rows = list.data.pages.flatMap((page): RowOf<Op>[] => page.items)
  if (rows.length === 0) return empty
  return (
    <>
      <DataTable label={label} columns={columns} rows={rows} rowKey={rowKey} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {counted(rows.length, noun)}
          {list.hasNextPage && ', and more'}
        </Text>
        {list.hasNextPage && (
          <Button
            variant="default"
            size="xs"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show more
          </Button>
        )}
      </Group>
      {list.error !== null && <Problem error={list.error} />}
    </>
  )
}
