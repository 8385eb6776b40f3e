import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { read } from '../../../console/api.ts'
import { listFolders } from '../contract.ts'
import { aboutFolders } from './folders-inside.tsx'

interface NothingHereProps {
  folder: string
  of: 'experiments' | 'models'
  /** Where there is nothing in any folder either. */
  children: ReactNode
}

/** In place of an empty list of what is in a folder. */
export function NothingHere({ folder, of, children }: NothingHereProps) {
  const { data } = useQuery(read(listFolders, { folder, levels: 1, limit: 1000 }, aboutFolders))
  if (data === undefined) return null
  const isBelow = data.folder.all[of] > 0
  if (folder === '' && !isBelow) return children
  return (
    <Text c="dimmed">
      {isBelow ? `All ${of} here are in the folders above.` : `There are no ${of} in this folder.`}
      {!isBelow && ` Choose some elsewhere, and move them to ${folder}.`}
    </Text>
  )
}
