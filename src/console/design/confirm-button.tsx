import { Button, type ButtonProps, Group, Modal, Stack } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { queries } from '../api.ts'
import { Problem } from './problem.tsx'

interface ConfirmProps extends Pick<ButtonProps, 'size' | 'variant' | 'color' | 'disabled'> {
  label: string
  /** Of the dialog, and of the button to whoever cannot see what it stands beside. */
  title: string
  /** What will happen. */
  children: ReactNode
  run(): Promise<unknown>
}

/** A button for what cannot be undone: it says first what will happen. */
export function ConfirmButton({ label, title, children, run, ...button }: ConfirmProps) {
  const [opened, setOpened] = useState(false)
  const running = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      await queries.invalidateQueries()
      setOpened(false)
    },
  })
  return (
    <>
      <Button variant="default" size="xs" {...button} aria-label={title} onClick={() => setOpened(true)}>
        {label}
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={title}
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          <div>{children}</div>
          {running.error !== null && <Problem error={running.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setOpened(false)}>
              Cancel
            </Button>
            <Button color="red.9" loading={running.isPending} onClick={() => running.mutate()}>
              {label}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
