import { Anchor, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useMemo } from 'react'
import { traceLineage } from '../../platform/kernel/contract.ts'
import { read } from '../api.ts'
import { type Column, DataTable } from '../design/data-table.tsx'
import { counted } from '../design/format.ts'
import { Problem } from '../design/problem.tsx'
import { SubjectLink } from '../subject-link.tsx'
import { type Edge, edgeKey, nearest, withoutObjects } from './lineage-view.ts'

// The library that lays graphs out comes with the first graph.
const LineageCanvas = lazy(() => import('./lineage-canvas.tsx').then((module) => ({ default: module.LineageCanvas })))

/** More boxes than this are no picture; the list has them all. */
const mostBoxes = 80
const mostRows = 200

interface LineageGraphProps {
  /** `kind:id` of a ledger subject. */
  object: string
  /** How many operations away. */
  depth?: number
  /** With the stored files between the things that people name. */
  files?: boolean
}

/** What a thing was made from and what came of it, as a picture and as a list. */
export function LineageGraph({ object, depth = 10, files = false }: LineageGraphProps) {
  const up = useQuery(read(traceLineage, { object, direction: 'upstream', depth }, ['entry']))
  const down = useQuery(read(traceLineage, { object, direction: 'downstream', depth }, ['entry']))
  const edges = useMemo(() => {
    const all: Edge[] = [...(up.data?.edges ?? []), ...(down.data?.edges ?? [])]
    const once = [...new Map(all.map((edge) => [edgeKey(edge), edge])).values()]
    return files ? once : withoutObjects(once, object)
  }, [up.data, down.data, files, object])
  const shown = useMemo(() => nearest(edges, object, mostBoxes), [edges, object])
  const error = up.error ?? down.error
  if (error !== null) return <Problem error={error} />
  if (up.isPending || down.isPending) return <Skeleton height={200} aria-label="Loading the lineage" />
  if (edges.length === 0) {
    return <Text c="dimmed">Nothing is recorded of what it was made from, and nothing was made from it.</Text>
  }
  return (
    <>
      <Suspense fallback={<Skeleton height={200} />}>
        <LineageCanvas centre={object} things={shown.things} edges={shown.edges} />
      </Suspense>
      {shown.left > 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          {counted(shown.left, 'more thing')} further away are in the list.
        </Text>
      )}
      <details style={{ marginTop: '0.75rem' }}>
        <summary>As a list, with the entries that say so</summary>
        <DataTable label="Lineage" columns={columns} rows={edges.slice(0, mostRows)} rowKey={edgeKey} />
        {edges.length > mostRows && (
          <Text size="sm" c="dimmed">
            The first {mostRows} of {edges.length}: pave trace-lineage {object}
          </Text>
        )}
      </details>
    </>
  )
}

const columns: readonly Column<Edge>[] = [
  { title: 'From', wrap: true, cell: ({ from }) => <SubjectLink kind={from.kind} id={from.id} /> },
  { title: 'Made', wrap: true, cell: ({ to }) => <SubjectLink kind={to.kind} id={to.id} /> },
  {
    title: 'By',
    cell: ({ operation, entry }) =>
      entry === undefined ? (
        'way of stored files'
      ) : (
        <Anchor inherit renderRoot={(props) => <Link {...props} to="/ledger/$entry" params={{ entry }} />}>
          {operation}
        </Anchor>
      ),
  },
]
