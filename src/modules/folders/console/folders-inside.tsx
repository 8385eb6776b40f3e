import { Anchor, Button, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { count, counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { type Folder, listFolders } from '../contract.ts'
import { nameOfFolder } from './folder-view.ts'

type Room = '/experiments' | '/models'

export const aboutFolders = ['folder', 'experiment', 'model']

/** More than these are shown when they are asked for: what is in the folder itself should not be far down. */
const usuallyShown = 8

/** The folders that are in a folder, with what each holds in all. */
export function FoldersInside({ folder, room }: { folder: string; room: Room }) {
  const [showsAll, showAll] = useState(false)
  const { data, error } = useQuery(read(listFolders, { folder, levels: 1, limit: 1000 }, aboutFolders))
  if (error !== null) return <Problem error={error} />
  if (data === undefined || data.items.length === 0) return null
  const shown = showsAll ? data.items : data.items.slice(0, usuallyShown)
  return (
    <Panel>
      <DataTable label="Folders" columns={columns[room]} rows={shown} rowKey={(one) => one.folder} />
      {shown.length < data.items.length && (
        <Button mt="xs" variant="default" size="xs" onClick={() => showAll(true)}>
          Show all {count(data.items.length)} folders
        </Button>
      )}
      {data.nextCursor !== null && (
        <Text size="sm" c="dimmed">
          There are more than {count(data.items.length)}.
        </Text>
      )}
    </Panel>
  )
}

const columns: Record<Room, readonly Column<Folder>[]> = {
  '/experiments': columnsOf('/experiments'),
  '/models': columnsOf('/models'),
}

function columnsOf(room: Room): readonly Column<Folder>[] {
  const kinds = room === '/models' ? (['models', 'experiments'] as const) : (['experiments', 'models'] as const)
  return [
    {
      title: 'Folder',
      wrap: true,
      cell: ({ folder }) => (
        <Anchor
          inherit
          fw={600}
          style={{ overflowWrap: 'anywhere' }}
          renderRoot={(props) => <Link {...props} to={room} search={{ folder }} />}
        >
          {nameOfFolder(folder)}
          <Text span inherit c="dimmed" aria-hidden="true">
            {' /'}
          </Text>
        </Anchor>
      ),
    },
    {
      title: 'Holds',
      cell: ({ folder, all }) => (
        <Group gap="md">
          {kinds.map((kind) => all[kind] > 0 && <Held key={kind} {...{ room, folder, kind }} of={all[kind]} />)}
          {all.prompts > 0 && <span>{counted(all.prompts, 'prompt')}</span>}
        </Group>
      ),
    },
  ]
}

/** The number of the other kind leads to its page. */
function Held({ room, folder, kind, of }: { room: Room; folder: string; kind: 'experiments' | 'models'; of: number }) {
  const text = counted(of, kind.slice(0, -1))
  if (room === `/${kind}`) return <span>{text}</span>
  return (
    <Anchor inherit renderRoot={(props) => <Link {...props} to={`/${kind}`} search={{ folder }} />}>
      {text}
    </Anchor>
  )
}
