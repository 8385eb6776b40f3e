import { Code, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import type { z } from 'zod'
import { client } from '../../../console/api.ts'
import { counted } from '../../../console/design/format.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { type VirtualColumn, VirtualTable } from '../../../console/design/virtual-table.tsx'
import { type ArtifactPath, getArtifact } from '../contract.ts'
import { type ArtifactTable, csvTable, jsonTable, nameOf, prettyJson, previewOf, separatorOf } from './artifact-view.ts'

/** A look at a file. Whatever it holds, nothing of it is ever run: pages are shown as text, drawings as pictures. */
export function ArtifactPreview({ owner, path }: { owner: string; path: z.infer<typeof ArtifactPath> }) {
  const { data, error } = useQuery({
    queryKey: [getArtifact.name, owner, path, 'content'],
    queryFn: async ({ signal }) => {
      const { digest, size } = await client.call(getArtifact, { owner, path }, { signal })
      const kind = previewOf(path, size)
      if (kind === null || kind === 'picture') return { kind, digest }
      const answer = await client.raw('GET', `/api/v1/objects/${digest}`)
      return { kind, digest, text: await answer.text() }
    },
  })
  return (
    <div>
      <Text size="sm" fw={600} mb={4} style={{ overflowWrap: 'anywhere' }}>
        {path}
      </Text>
      <Pending data={data} error={error} height={160} />
      {data?.kind === null && <Text size="sm">It is too large or of a kind that is only for download.</Text>}
      {data?.kind === 'picture' && <Picture source={`/api/v1/objects/${data.digest}`} path={path} />}
      {data?.text !== undefined && <Content kind={data.kind} path={path} text={data.text} />}
    </div>
  )
}

function Content({ kind, path, text }: { kind: ReturnType<typeof previewOf>; path: string; text: string }) {
  const table = useMemo(() => {
    if (kind === 'table') return csvTable(text, separatorOf(path, text))
    return kind === 'json' ? jsonTable(text) : undefined
  }, [kind, path, text])
  if (kind === 'drawing') return <Drawing path={path} text={text} />
  if (table !== undefined) return <Table path={path} table={table} />
  return (
    <Code block tabIndex={0} role="region" aria-label={`Content of ${path}`} mah={480} style={{ overflow: 'auto' }}>
      {kind === 'json' ? prettyJson(text) : text}
    </Code>
  )
}

function Picture({ source, path }: { source: string; path: string }) {
  return <img src={source} alt={nameOf(path)} style={{ maxWidth: '100%', minWidth: 40 }} />
}

/** A drawing within an `img` runs no script and loads nothing. */
function Drawing({ path, text }: { path: string; text: string }) {
  const [source, setSource] = useState<string>()
  useEffect(() => {
    const url = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }))
    setSource(url)
    return () => URL.revokeObjectURL(url)
  }, [text])
  return source === undefined ? null : <Picture source={source} path={path} />
}

interface NumberedRow {
  index: number
  cells: readonly string[]
}

function Table({ path, table: { columns, rows } }: { path: string; table: ArtifactTable }) {
  const numbered = useMemo(() => rows.map((cells, index): NumberedRow => ({ index, cells })), [rows])
  const shown = useMemo(
    () =>
      columns.map((title, at): VirtualColumn<NumberedRow> => {
        const number = rows.slice(0, 50).every((row) => row[at] === '' || Number.isFinite(Number(row[at])))
        return {
          key: `${at} ${title}`,
          title,
          width: number ? 110 : 200,
          number,
          cell: ({ cells }) => <span title={cells[at]}>{cells[at]}</span>,
        }
      }),
    [columns, rows],
  )
  return (
    <>
      <VirtualTable
        label={`Content of ${path}`}
        columns={shown}
        rows={numbered}
        count={numbered.length}
        rowKey={({ index }) => String(index)}
        onReach={nothingComes}
        order={path}
      />
      <Text size="sm" c="dimmed">
        {counted(rows.length, 'row')}
      </Text>
    </>
  )
}

/** All rows are here. */
const nothingComes = () => {}
