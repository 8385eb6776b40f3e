import { Button, Checkbox, Group, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { queries } from '../../../console/api.ts'
import { Dialog } from '../../../console/design/dialog.tsx'
import { counted } from '../../../console/design/format.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { FolderForm } from './folder-form.tsx'

/** The most that an operation moves at once. */
const mostMoved = 1000

interface Moved {
  folder: string
  moved: readonly { id: string; from: string }[]
}

interface MovingOptions {
  /** What one of them is: `model`. */
  noun: string
  /** The folder that they are in. */
  folder: string
  may: boolean
  move(ids: string[], folder: string): Promise<Moved>
}

/** What stands in the first cell of a row, after the box to choose the row by. */
export type Choice = (id: string, name: string, cell: ReactNode) => ReactNode

/** Choosing rows of a list, and a bar from which what is chosen is moved, and moved back. */
export function useMoving({ noun, folder, may, move }: MovingOptions) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [opened, setOpened] = useState(false)
  const [done, setDone] = useState<Moved>()
  const choose = (id: string, on: boolean) => {
    setChosen((before) => {
      const next = new Set(before)
      if (on && next.size < mostMoved) next.add(id)
      else next.delete(id)
      return next
    })
  }
  const back = useMutation({
    mutationFn: async ({ moved }: Moved) => {
      const groups = Map.groupBy(moved, ({ from }) => from)
      for (const [from, ones] of groups)
        await move(
          ones.map(({ id }) => id),
          from,
        )
    },
    onSuccess: async () => {
      setDone(undefined)
      await queries.invalidateQueries()
    },
  })
  const close = () => setOpened(false)
  const bar: ReactNode = (
    <>
      {may && (chosen.size > 0 || done !== undefined) && (
        <Group gap="xs" mb="xs" mih={30}>
          {chosen.size > 0 && (
            <>
              <Text size="sm">{counted(chosen.size, noun)} chosen</Text>
              <Button size="xs" onClick={() => setOpened(true)}>
                Move …
              </Button>
              <Button size="xs" variant="default" onClick={() => setChosen(new Set())}>
                Choose none
              </Button>
            </>
          )}
          {chosen.size === 0 && done !== undefined && (
            <>
              <Text size="sm" role="status">
                {counted(done.moved.length, noun)} moved to {done.folder === '' ? 'the top' : done.folder}.
              </Text>
              <Button size="xs" variant="default" loading={back.isPending} onClick={() => back.mutate(done)}>
                Move back
              </Button>
            </>
          )}
        </Group>
      )}
      {back.error !== null && <Problem error={back.error} />}
      <Dialog opened={opened} onClose={close} title={`Move ${counted(chosen.size, noun)}`}>
        <FolderForm
          label="Folder"
          description="A path, such as risk/fraud. One that is not there yet begins with what you move; an empty one is the top."
          folder={folder}
          button="Move"
          onCancel={close}
          run={async (to) => {
            setDone(await move([...chosen], to))
            setChosen(new Set())
            close()
          }}
        />
      </Dialog>
    </>
  )
  const choice: Choice = (id, name, cell) =>
    may ? (
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <Checkbox
          size="xs"
          mt={4}
          aria-label={`Choose ${name}`}
          checked={chosen.has(id)}
          onChange={(event) => choose(id, event.currentTarget.checked)}
        />
        <div style={{ minWidth: 0 }}>{cell}</div>
      </Group>
    ) : (
      cell
    )
  return { bar, choice }
}
