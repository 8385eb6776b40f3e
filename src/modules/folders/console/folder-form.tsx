import { Autocomplete, Button, Group, Stack, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { queries, read } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { listFolders } from '../contract.ts'
import { aboutFolders } from './folders-inside.tsx'

interface FolderFormProps {
  label: string
  description: string
  /** What stands there first. */
  folder: string
  /** It must be one that is not there. */
  isNew?: boolean
  button: string
  run(folder: string): Promise<unknown>
  onCancel(): void
}

/** Asks for the path of a folder: one that is there, or another. */
export function FolderForm({ label, description, folder, isNew = false, button, run, onCancel }: FolderFormProps) {
  const [path, setPath] = useState(folder)
  const { data } = useQuery({ ...read(listFolders, { limit: 1000 }, aboutFolders), enabled: !isNew })
  const field = { label, description, placeholder: 'risk/fraud/2026', maxLength: 500, 'data-autofocus': true }
  const running = useMutation({ mutationFn: () => run(path.trim()), onSuccess: () => queries.invalidateQueries() })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        running.mutate()
      }}
    >
      <Stack>
        {isNew ? (
          <TextInput {...field} required value={path} onChange={(event) => setPath(event.currentTarget.value)} />
        ) : (
          <Autocomplete
            {...field}
            // Above, where it hides no button.
            comboboxProps={{ position: 'top-start' }}
            data={data?.items.map((one) => one.folder) ?? []}
            limit={100}
            value={path}
            onChange={setPath}
          />
        )}
        {running.error !== null && <Problem error={running.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={running.isPending}>
            {button}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
