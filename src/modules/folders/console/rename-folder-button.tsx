import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '#modules/identity/console/may.tsx'
import { client } from '../../../console/api.ts'
import { Dialog } from '../../../console/design/dialog.tsx'
import { renameFolder } from '../contract.ts'
import { FolderForm } from './folder-form.tsx'

/** Gives the folder that one is in another path, and goes along. */
export function RenameFolderButton({ folder, room }: { folder: string; room: '/experiments' | '/models' }) {
  const [opened, setOpened] = useState(false)
  const navigate = useNavigate()
  const may = useMay(renameFolder)
  if (!may || folder === '') return null
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)}>
        Rename folder
      </Button>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={`Rename ${folder}`}>
        <FolderForm
          label="New path"
          description="Experiments and models in it and below it go along."
          folder={folder}
          isNew
          button="Rename"
          onCancel={() => setOpened(false)}
          run={async (to) => {
            await client.call(renameFolder, { folder, to })
            await navigate({ to: room, search: { folder: to } })
          }}
        />
      </Dialog>
    </>
  )
}
